import type { IncomingMessage, ServerResponse } from 'node:http';
import { CountersignError } from '@countersign/errors';
import { type ProblemContext, problemAnswer } from '../answer/index.js';

/** Tells an agent of an error. Where part of an answer went out already, its connection is cut: half is not the whole. */
export function answerProblem(
  response: ServerResponse,
  error: CountersignError,
  context: ProblemContext = {},
): void {
  if (response.headersSent || response.destroyed) {
    response.destroy();
    return;
  }
  const { status, headers, body } = problemAnswer(error, context);
  response.writeHead(status, headers).end(body);
}

/** Resolves when an agent has taken what was written. Throws rpc.cancelled where it does not, and cuts its connection. */
export async function drained(response: ServerResponse, milliseconds: number): Promise<void> {
  if (!response.writableNeedDrain && !response.writableEnded) return;
  if (response.writableFinished) return;
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const left = (): void => reject(new CountersignError('rpc.cancelled'));
  const timer = setTimeout(() => {
    response.destroy();
    left();
  }, milliseconds);
  response.once('drain', resolve).once('finish', resolve).once('close', left);
  try {
    await promise;
  } finally {
    clearTimeout(timer);
    response.off('drain', resolve).off('finish', resolve).off('close', left);
  }
}

const EMPTY = Buffer.alloc(0);

/** A request's body, or null where it is larger than is accepted. Throws rpc.cancelled where the agent leaves. */
export async function readBody(request: IncomingMessage, most: number): Promise<Buffer | null> {
  if (Number(request.headers['content-length'] ?? 0) > most) return null;
  if (request.headers['content-length'] === undefined && request.headers['transfer-encoding'] === undefined) {
    request.resume();
    return EMPTY;
  }
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of request as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      if (bytes > most) return null;
      chunks.push(chunk);
    }
  } catch (cause) {
    throw new CountersignError('rpc.cancelled', { cause });
  }
  return Buffer.concat(chunks);
}
