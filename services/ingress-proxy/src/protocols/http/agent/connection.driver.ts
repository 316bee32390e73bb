import type { IncomingMessage, ServerResponse } from 'node:http';
import { CountersignError, toCountersignError } from '@countersign/errors';
import type { ActionPort, Answer, Submitted } from '../../../gate/index.js';
import type { EndReason } from '../../../session/index.js';
import { prepare, type Received, requestOf, type Unprepared, waitOf } from '../request/index.js';
import type { HttpAgentContext, Peer } from './context.js';
import { Execution } from './execution.driver.js';
import { endSession, type OpenSession, openSession } from './session.driver.js';
import { answerProblem, readBody } from './writing.driver.js';

/** Requests of one connection that may wait for those before them. */
const MOST_QUEUED = 16;
const NAMED_TARGET = /^\/([a-z0-9](?:[a-z0-9_-]{0,61}[a-z0-9])?)(?=[/?]|$)/;
const BEARER = /^Bearer ([!-~]+)$/i;

/**
 * One connection of an agent. Its requests are actions of one session, one after the other; another token or target on the
 * same connection ends the session and begins another.
 */
export class AgentConnection {
  readonly #context: HttpAgentContext;
  readonly #peer: Peer;
  #tail: Promise<void> = Promise.resolve();
  #queued = 0;
  #open: OpenSession | null = null;
  #ended: EndReason = 'client';

  constructor(context: HttpAgentContext, peer: Peer) {
    this.#context = context;
    this.#peer = peer;
  }

  /** Whether nothing is under way. */
  get idle(): boolean {
    return this.#queued === 0;
  }

  /** Serves a request when those before it are answered. Never throws. */
  serve(request: IncomingMessage, response: ServerResponse): void {
    if (this.#queued >= MOST_QUEUED) {
      response.destroy();
      return;
    }
    this.#queued += 1;
    const agentLeft = new AbortController();
    response.once('close', () => {
      if (!response.writableFinished) agentLeft.abort();
    });
    this.#tail = this.#tail
      .then(() => this.#serve(request, response, agentLeft.signal))
      .catch((thrown: unknown) => {
        answerProblem(response, toCountersignError(thrown));
      })
      .finally(() => {
        this.#queued -= 1;
      });
  }

  /** Ends what is there once everything under way has ended. */
  async close(): Promise<void> {
    await this.#tail;
    this.#endSession(this.#context.stopping.aborted ? 'shutdown' : this.#ended);
  }

  #endSession(reason: EndReason): void {
    if (this.#open === null) return;
    endSession(this.#context, this.#open, reason);
    this.#open = null;
  }

  async #serve(request: IncomingMessage, response: ServerResponse, left: AbortSignal): Promise<void> {
    if (left.aborted) return;
    if (this.#context.stopping.aborted) {
      this.#answerLast(response, new CountersignError('service.stopping'));
      return;
    }
    const url = request.url ?? '';
    const target = NAMED_TARGET.exec(url)?.[1] ?? '';
    const open = await this.#session(request, response, target);
    if (open === null) return;
    const path = url.slice(target.length + 1);
    const approval = this.#context.places.named(path);
    if (approval !== null) {
      await this.#tellApproval(response, open, approval);
      return;
    }
    await this.#act(request, response, left, open, path === '' ? '/' : path);
  }

  /** The session that a request belongs to; null where it was refused and the agent knows. */
  async #session(
    request: IncomingMessage,
    response: ServerResponse,
    target: string,
  ): Promise<OpenSession | null> {
    const token = tokenOf(request.rawHeaders);
    const { session, token: known } = this.#open ?? {};
    if (this.#open !== null && known === token && session?.claims.target === target) return this.#open;
    this.#endSession('client');
    const opened = await openSession(this.#context, this.#peer, target, token);
    if ('session' in opened) {
      this.#open = opened;
      return opened;
    }
    const { error, agent } = opened;
    this.#context.refusals.add({ target: opened.target, agent, code: error.code });
    this.#context.observer.refused(error.code);
    this.#answerLast(response, error);
    return null;
  }

  async #act(
    request: IncomingMessage,
    response: ServerResponse,
    left: AbortSignal,
    open: OpenSession,
    target: string,
  ): Promise<void> {
    const received: Received = {
      method: request.method ?? '',
      httpVersion: request.httpVersion,
      target,
      rawHeaders: request.rawHeaders,
    };
    const prepared = prepare(received, open.served.destination);
    if ('code' in prepared) {
      await this.#refuse(response, left, open, received, prepared);
      return;
    }
    const body = await readBody(request, this.#context.limits.requestBytes);
    if (body === null) {
      const detail = 'Its body is too large.';
      await this.#refuse(response, left, open, received, { code: 'request.too_large', detail });
      return;
    }
    const submitted = requestOf(prepared, body);
    const { stopping } = this.#context;
    const port: ActionPort = {
      // Made where somebody waits for a human alone: most actions do not.
      get signal() {
        return AbortSignal.any([left, stopping]);
      },
      patienceMilliseconds: waitOf(prepared.headers.get('prefer')),
      waiting: () => undefined,
      run: (running) =>
        new Execution({
          running,
          request: submitted,
          prepared,
          upstream: open.served.upstream,
          response,
          answered: open.served.answered,
          limits: this.#context.limits,
          signal: left,
        }).run(),
    };
    await this.#submit(response, open, submitted, port);
  }

  /** What cannot be analysed is refused as an action, and recorded. Its body was not read: the connection ends with it. */
  async #refuse(
    response: ServerResponse,
    left: AbortSignal,
    open: OpenSession,
    received: Received,
    { code, detail }: Unprepared,
  ): Promise<void> {
    response.shouldKeepAlive = false;
    const bytes = Buffer.from(`${received.method} ${received.target}\n${received.rawHeaders.join('\n')}`);
    const port: ActionPort = {
      signal: left,
      waiting: () => undefined,
      run: () => Promise.reject(new CountersignError('internal')),
    };
    await this.#submit(response, open, { kind: 'unanalysable', code, bytes }, port, detail);
  }

  async #submit(
    response: ServerResponse,
    open: OpenSession,
    submitted: Submitted,
    port: ActionPort,
    detail?: string,
  ): Promise<void> {
    const answer = await this.#context.gate.submit(open.session, submitted, port);
    if (answer.kind === 'ran') return;
    this.#tellRefusal(response, open, answer, detail);
  }

  #tellRefusal(
    response: ServerResponse,
    open: OpenSession,
    answer: Extract<Answer, { kind: 'refused' }>,
    detail: string | undefined,
  ): void {
    const { action, rules, approval, ends } = answer;
    const error = detail === undefined ? answer.error : detailed(answer.error, detail);
    const { target, agent } = open.session.claims;
    const location =
      approval !== null && error.code === 'approval.pending'
        ? this.#context.places.place(target, approval, agent)
        : null;
    if (ends !== null) {
      response.shouldKeepAlive = false;
      this.#ended = ends;
      this.#endSession(ends);
    }
    answerProblem(response, error, { action, rules, location });
  }

  /** State of an approval that this agent was told to wait for. Nothing is asked of a target: it is no action. */
  async #tellApproval(response: ServerResponse, open: OpenSession, approval: string): Promise<void> {
    const { agent } = open.session.claims;
    if (!this.#context.places.isKnownTo(approval, agent)) {
      const next = 'Submit the identical request again: it finds its approval.';
      answerProblem(response, new CountersignError('approval.unknown', { next }));
      return;
    }
    const held = await this.#context.approvals.await(approval, 0, this.#context.stopping);
    const body = JSON.stringify({ approval, status: held.status, expiresAt: held.approval.expiresAt });
    response.setHeader('content-type', 'application/json');
    response.setHeader('cache-control', 'no-store');
    response.end(body);
  }

  #answerLast(response: ServerResponse, error: CountersignError): void {
    response.shouldKeepAlive = false;
    answerProblem(response, error);
  }
}

/** The session token; empty where there is none, or where it is not clear which. */
function tokenOf(rawHeaders: readonly string[]): string {
  const values = rawHeaders.filter(
    (_, index) => index % 2 === 1 && rawHeaders[index - 1]?.toLowerCase() === 'authorization',
  );
  return values.length === 1 ? (BEARER.exec(values[0] ?? '')?.[1] ?? '') : '';
}

function detailed(error: CountersignError, detail: string): CountersignError {
  const next = error.code === 'protocol.unsupported' ? 'Send plain HTTP/1.1 requests.' : error.next;
  return new CountersignError(error.code, { detail, next });
}
