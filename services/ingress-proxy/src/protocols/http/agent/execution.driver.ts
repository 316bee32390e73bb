import type { ServerResponse } from 'node:http';
import { CountersignError, type ErrorCode, toCountersignError } from '@countersign/errors';
import type { Request, Running, RunReport } from '../../../gate/index.js';
import { isReadWhole, maskedAnswer, type Plan, readPlan } from '../answer/index.js';
import { isJson, type Prepared } from '../request/index.js';
import type { Incoming, Upstream } from '../upstream.client.js';
import { answerProblem, drained } from './writing.driver.js';

export interface ExecutionLimits {
  /** Largest answer that is read as a whole, because it has to be masked; bytes. */
  readonly maskedBytes: number;
  /** Largest answer that passes through, bytes. */
  readonly answerBytes: number;
  /** Milliseconds that an agent may leave its answer unread. */
  readonly stallMilliseconds: number;
}

export interface ExecutionOptions {
  readonly running: Running;
  readonly request: Request;
  readonly prepared: Prepared;
  readonly upstream: Upstream;
  readonly response: ServerResponse;
  /** Lower-case names of headers that an agent gets to see. */
  readonly answered: ReadonlySet<string>;
  readonly limits: ExecutionLimits;
  /** Aborts when the agent is gone. */
  readonly signal: AbortSignal;
}

/**
 * Runs one decided request at the target and releases what it answers: as it comes, with back-pressure, where nothing has to
 * be masked; otherwise read as a whole up to a limit, since a field that is to be masked may stand at the very end.
 */
export class Execution {
  readonly #options: ExecutionOptions;
  readonly #plan: Plan;
  readonly #abort = new AbortController();
  #stopped: ErrorCode | null = null;
  #rows = 0;

  constructor(options: ExecutionOptions) {
    this.#options = options;
    this.#plan = readPlan(options.running.text);
  }

  /** Throws nothing: what went wrong is in the report, and the agent was told. */
  async run(): Promise<RunReport> {
    const { running, signal } = this.#options;
    const { timeLimitSeconds } = running;
    const timer =
      timeLimitSeconds === null
        ? null
        : setTimeout(() => this.#stop('release.time_limit'), timeLimitSeconds * 1000);
    const left = (): void => this.#stop('rpc.cancelled');
    if (signal.aborted) left();
    signal.addEventListener('abort', left, { once: true });
    try {
      return await this.#exchange();
    } finally {
      if (timer !== null) clearTimeout(timer);
      signal.removeEventListener('abort', left);
    }
  }

  async #exchange(): Promise<RunReport> {
    const { upstream, prepared, request, running } = this.#options;
    let incoming: Incoming;
    try {
      incoming = await upstream.send({
        method: prepared.method,
        path: prepared.path,
        headers: prepared.forwarded,
        body: request.body,
        action: running.action,
        signal: this.#abort.signal,
      });
    } catch (thrown) {
      const error = toCountersignError(thrown);
      if (this.#stopped !== null) return this.#fail(new CountersignError(this.#stopped), 'unknown');
      return this.#fail(error, error.code === 'target.unavailable' ? 'failed' : 'unknown');
    }
    try {
      return await this.#release(incoming);
    } catch (thrown) {
      incoming.body.on('error', () => undefined).destroy();
      if (this.#stopped !== null) return this.#fail(new CountersignError(this.#stopped), 'refused');
      if (thrown instanceof CountersignError) return this.#fail(thrown, 'refused');
      return this.#fail(new CountersignError('target.connection_lost', { cause: thrown }), 'unknown');
    }
  }

  async #release(incoming: Incoming): Promise<RunReport> {
    const { status } = incoming;
    if (status < 200 || status > 299) return this.#refusedByTarget(incoming);
    const coding = incoming.headers['content-encoding'];
    if (coding !== undefined && coding !== 'identity') throw new CountersignError('http.unmaskable');
    if (isReadWhole(this.#plan, this.#options.running.release)) await this.#releaseWhole(incoming);
    else await this.#releaseStream(incoming);
    return this.#report('succeeded', null);
  }

  /** What a target says of a failure may hold what it hides: only the status is told. A redirection leads elsewhere. */
  async #refusedByTarget({ status, body }: Incoming): Promise<RunReport> {
    body.on('error', () => undefined).destroy();
    const told = status >= 400 && status <= 599 ? status : 502;
    const detail = `It answered with status ${status}.`;
    return this.#fail(
      new CountersignError('target.failed', { detail, next: 'Correct the request.' }),
      'failed',
      told,
    );
  }

  async #releaseWhole(incoming: Incoming): Promise<void> {
    const { running, response, limits } = this.#options;
    const body = await readWhole(incoming, limits.maskedBytes);
    if (body.length === 0) {
      this.#head(incoming, 0, false);
      response.end();
      return;
    }
    const contentType = incoming.headers['content-type'];
    if (typeof contentType !== 'string' || !isJson(contentType))
      throw new CountersignError('http.unmaskable');
    const masked = await maskedAnswer(body, this.#plan, running.release);
    // Whoever stopped it meanwhile gets nothing of it.
    if (this.#stopped !== null) throw new CountersignError(this.#stopped);
    running.release.commit(masked.body, masked.rows, masked.body.length);
    this.#rows = masked.rows;
    this.#head(incoming, masked.body.length, this.#plan.fields.length > 0);
    response.end(masked.body);
    await drained(response, limits.stallMilliseconds);
  }

  async #releaseStream(incoming: Incoming): Promise<void> {
    const { response, limits } = this.#options;
    const known = lengthOf(incoming);
    if (known !== null && known <= SMALL) {
      const body = await readWhole(incoming, SMALL);
      if (this.#stopped !== null) throw new CountersignError(this.#stopped);
      if (body.length > 0) this.#commit(body);
      this.#head(incoming, body.length, false);
      response.end(body);
      return;
    }
    if (known !== null && known > limits.answerBytes) throw new CountersignError('protocol.too_large');
    this.#head(incoming, known, false);
    let bytes = 0;
    for await (const chunk of incoming.body as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      if (bytes > limits.answerBytes) throw new CountersignError('protocol.too_large');
      if (this.#stopped !== null) throw new CountersignError(this.#stopped);
      this.#commit(chunk);
      if (!response.write(chunk)) await drained(response, limits.stallMilliseconds);
    }
    response.end();
  }

  /** What passes through is one row, however many parts it comes in. */
  #commit(chunk: Buffer): void {
    this.#options.running.release.commit(chunk, this.#rows === 0 ? 1 : 0, chunk.length);
    this.#rows = 1;
  }

  /** @param length of the body; null where it is not known */
  #head(incoming: Incoming, length: number | null, masked: boolean): void {
    const { response, answered, running } = this.#options;
    response.statusCode = incoming.status;
    for (const name of masked ? ['content-type'] : answered) {
      const value = incoming.headers[name];
      if (typeof value === 'string') response.setHeader(name, value);
    }
    response.setHeader('cache-control', 'no-store');
    response.setHeader('countersign-action', running.action);
    if (length !== null && incoming.status !== 204) response.setHeader('content-length', length);
  }

  #stop(code: ErrorCode): void {
    if (this.#stopped !== null) return;
    this.#stopped = code;
    this.#abort.abort();
  }

  #fail(error: CountersignError, status: RunReport['status'], told?: number): RunReport {
    const { response, running } = this.#options;
    const context = { action: running.action, ...(told === undefined ? {} : { status: told }) };
    answerProblem(response, error, context);
    return this.#report(status, error.code);
  }

  #report(status: RunReport['status'], error: ErrorCode | null): RunReport {
    return { status, error, sqlstate: null, rows: this.#rows, transaction: 'idle', ended: null };
  }
}

/** Answers of at most so many bytes that say how long they are go out in one piece. */
const SMALL = 64 * 1024;

function lengthOf({ headers }: Incoming): number | null {
  const length = headers['content-length'];
  return typeof length === 'string' && /^\d{1,15}$/.test(length) ? Number(length) : null;
}

async function readWhole(incoming: Incoming, most: number): Promise<Buffer> {
  const known = lengthOf(incoming);
  if (known !== null && known > most) throw new CountersignError('protocol.too_large');
  // The client holds the target to the length that it said.
  if (known !== null) return Buffer.from(await incoming.body.arrayBuffer());
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of incoming.body as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > most) throw new CountersignError('protocol.too_large');
    chunks.push(chunk);
  }
  return chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks);
}
