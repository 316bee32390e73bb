import { CountersignError, toCountersignError } from '@countersign/errors';
import type { ActionPort, Answer, Gate, GateSession, Statement, Submitted } from '../../../gate/index.js';
import type { EndReason } from '../../../session/index.js';
import type { Channel } from '../channel.driver.js';
import {
  decodeFrontend,
  type Format,
  type FrontendMessage,
  type TransactionStatus,
  toClient,
} from '../codec/index.js';
import { changedPin } from '../settings.js';
import type { TargetConnection } from '../upstream/index.js';
import { emptyHead, leadingCompletions, type OutputPart } from './answer-head.js';
import {
  effectOf,
  emptyRegistry,
  isEmptyText,
  mayRunBeforeOthers,
  type Part,
  type Prepared,
  type Registry,
  withoutPortals,
  withoutUnnamed,
} from './batch.js';
import { Execution } from './execution.driver.js';
import { isExtended, sizeOf, statementOf, unanalysableOf } from './messages.js';
import { reportOf, waitingNotice } from './reports.js';

export interface AgentSessionOptions {
  readonly channel: Channel;
  readonly session: GateSession;
  readonly gate: Gate;
  readonly target: TargetConnection;
  /** Settings with which the target connection was opened, and which must not change. */
  readonly settings: Readonly<Record<string, string>>;
  /** Records and sends a cancellation of what the target connection runs. */
  readonly cancel: (action: string, connection: TargetConnection) => Promise<void>;
  readonly maximumStatement: number;
  readonly idleMilliseconds: number;
  /** Aborts when the service stops. */
  readonly stopping: AbortSignal;
}

/** Bounds of what an agent may send before its Sync. */
const MOST_BATCHED = 1_000;

/** What ends a session from inside, with the last words to the agent. */
class SessionEnd extends Error {
  constructor(
    readonly reason: EndReason,
    readonly words: CountersignError | null,
    readonly action?: string,
  ) {
    super('the session ends');
  }
}

/** One authenticated agent: turns its messages into actions, one after the other, and answers into messages. */
export class AgentSession {
  readonly #options: AgentSessionOptions;
  readonly #channel: Channel;
  readonly #signal: AbortSignal;
  #registry: Registry = emptyRegistry;
  #batch: FrontendMessage[] = [];
  #batchBytes = 0;
  #skipping = false;
  #busy = false;
  /** Stops the waiting, or the run, of the action at hand. */
  #current: AbortController | null = null;

  constructor(options: AgentSessionOptions) {
    this.#options = options;
    this.#channel = options.channel;
    this.#signal = AbortSignal.any([options.channel.closed, options.stopping]);
    this.#signal.addEventListener('abort', () => this.#current?.abort(), { once: true });
  }

  /** Cancels the action at hand, as the agent asked; says whether there was one. */
  cancel(): boolean {
    if (this.#current === null) return false;
    this.#current.abort(new CountersignError('rpc.cancelled'));
    return true;
  }

  /** Serves until the agent, the target or the gateway ends the session; says why. */
  async run(): Promise<EndReason> {
    const { stopping, target } = this.#options;
    // An idle session has nobody waiting in it: it is woken by ending the agent's connection.
    const wake = (): void => {
      if (!this.#busy) this.#sayLast(new CountersignError('service.stopping'));
    };
    const targetLost = (): void => {
      if (!this.#busy) this.#sayLast(new CountersignError('target.connection_lost'));
    };
    stopping.addEventListener('abort', wake, { once: true });
    target.closed.addEventListener('abort', targetLost, { once: true });
    try {
      for (;;) {
        if (stopping.aborted) throw new SessionEnd('shutdown', new CountersignError('service.stopping'));
        const frame = await this.#channel.read(this.#options.idleMilliseconds);
        if (frame === null) return this.#endedWhileIdle();
        this.#busy = true;
        await this.#onMessage(decodeFrontend(frame, this.#options.maximumStatement), sizeOf(frame));
        this.#busy = false;
        if (target.closed.aborted) {
          throw new SessionEnd('target-lost', new CountersignError('target.connection_lost'));
        }
      }
    } catch (thrown) {
      return this.#endBy(thrown);
    } finally {
      stopping.removeEventListener('abort', wake);
      target.closed.removeEventListener('abort', targetLost);
    }
  }

  #endedWhileIdle(): EndReason {
    if (this.#options.stopping.aborted) return 'shutdown';
    return this.#options.target.closed.aborted ? 'target-lost' : 'client';
  }

  #endBy(thrown: unknown): EndReason {
    if (thrown instanceof SessionEnd) {
      if (thrown.words !== null) this.#sayLast(thrown.words, thrown.action);
      else this.#channel.end();
      return thrown.reason;
    }
    this.#sayLast(toCountersignError(thrown));
    return 'error';
  }

  #sayLast(words: CountersignError, action?: string): void {
    const fields = reportOf(words, { fatal: true, ...(action === undefined ? {} : { action }) });
    this.#channel.write(toClient.errorResponse(fields));
    this.#channel.end();
  }

  async #onMessage(message: FrontendMessage, bytes: number): Promise<void> {
    switch (message.kind) {
      case 'terminate':
        throw new SessionEnd('client', null);
      case 'copy':
        // The rest of a copy that was refused, as PostgreSQL takes it.
        return;
      case 'password':
        throw new CountersignError('protocol.out_of_order');
      case 'sync':
        await this.#runBatch();
        this.#skipping = false;
        if (this.#status() === 'I') this.#registry = withoutPortals(this.#registry);
        this.#ready();
        return;
      case 'flush':
        await this.#runBatch();
        return;
      default:
        break;
    }
    if (this.#skipping) return;
    if (isExtended(message)) {
      this.#collect(message, bytes);
      return;
    }
    await this.#runBatch();
    if (this.#skipping) return;
    await this.#simple(message);
    this.#ready();
  }

  /** Nothing of a batch is asked of anybody before it is complete. */
  #collect(message: FrontendMessage, bytes: number): void {
    this.#batch.push(message);
    this.#batchBytes += bytes;
    if (this.#batch.length > MOST_BATCHED || this.#batchBytes > 4 * this.#options.maximumStatement) {
      throw new CountersignError('protocol.too_large');
    }
  }

  async #simple(message: FrontendMessage): Promise<void> {
    this.#registry = withoutUnnamed(this.#registry);
    if (message.kind !== 'query') {
      await this.#refuse(message);
      return;
    }
    if (isEmptyText(message.text)) {
      this.#channel.write(toClient.emptyQuery);
      return;
    }
    const statement = { text: message.text, parameterTypes: [], parameters: [], purpose: 'run' } as const;
    await this.#submit({ kind: 'statement', ...statement }, ['row-description']);
  }

  /** What is no statement is refused as an action, and recorded. */
  async #refuse(message: FrontendMessage): Promise<void> {
    const refused = unanalysableOf(message);
    if (refused === null) throw new CountersignError('protocol.out_of_order');
    await this.#submit(refused, []);
  }

  async #runBatch(): Promise<void> {
    const messages = this.#batch;
    this.#batch = [];
    this.#batchBytes = 0;
    let parts: readonly Part[] = [];
    for (let index = 0; index < messages.length && !this.#skipping; index += 1) {
      parts = await this.#runStep(messages, index, parts);
    }
    this.#write(leadingCompletions(parts));
  }

  /** One message of a batch; gives the parts of the answer that are still to be written. */
  async #runStep(
    messages: readonly FrontendMessage[],
    index: number,
    parts: readonly Part[],
  ): Promise<readonly Part[]> {
    const effect = effectOf(messages, index, this.#registry);
    switch (effect.do) {
      case 'reply':
        this.#registry = effect.registry;
        return [...parts, effect.part];
      case 'later':
        return [...parts, effect.part];
      case 'prepare':
        await this.#prepare(effect.prepared, [...parts, effect.part], effect.resultFormats);
        return [];
      case 'run': {
        const { prepared, resultFormats } = effect.portal;
        const others = messages.slice(index + 1).some((message) => message.kind === 'execute');
        if (others && !mayRunBeforeOthers(prepared.text, this.#status() !== 'I')) {
          this.#write(leadingCompletions(parts));
          const bytes = Buffer.from(prepared.text);
          await this.#submit({ kind: 'unanalysable', code: 'protocol.unsupported', bytes }, []);
          return [];
        }
        this.#registry = effect.registry;
        await this.#execute(statementOf(effect.portal), parts, resultFormats);
        return [];
      }
      case 'refuse':
        this.#write(leadingCompletions(parts));
        await this.#submit(effect.submitted, []);
        return [];
      case 'fail':
        this.#write(leadingCompletions(parts));
        this.#channel.write(toClient.errorResponse(reportOf(effect.error)));
        this.#skipping = true;
        return [];
    }
  }

  async #prepare(
    prepared: Prepared,
    parts: readonly Part[],
    resultFormats: readonly Format[],
  ): Promise<void> {
    const statement = { kind: 'statement', ...prepared, parameters: [], purpose: 'prepare' } as const;
    if (isEmptyText(prepared.text)) this.#write(emptyHead(parts));
    else await this.#submit(statement, parts, resultFormats);
  }

  async #execute(
    statement: Statement,
    parts: readonly Part[],
    resultFormats: readonly Format[],
  ): Promise<void> {
    if (!isEmptyText(statement.text)) {
      await this.#submit(statement, parts, resultFormats);
      return;
    }
    this.#write(emptyHead(parts));
    this.#channel.write(toClient.emptyQuery);
  }

  async #submit(
    submitted: Submitted,
    parts: readonly OutputPart[],
    resultFormats: readonly Format[] = [],
  ): Promise<void> {
    const { gate, session, target, cancel } = this.#options;
    const current = new AbortController();
    if (this.#signal.aborted) current.abort();
    const port: ActionPort = {
      signal: current.signal,
      waiting: (approval) => this.#channel.write(toClient.noticeResponse(waitingNotice(approval))),
      run: (running) =>
        new Execution({
          running,
          parts,
          resultFormats,
          agent: this.#channel,
          target,
          signal: current.signal,
          cancel: () => cancel(running.action, target),
        }).run(),
    };
    this.#current = current;
    const answer = await gate.submit(session, submitted, port);
    this.#current = null;
    this.#onAnswer(answer, parts);
  }

  #onAnswer(answer: Answer, parts: readonly OutputPart[]): void {
    const { target, settings } = this.#options;
    if (answer.kind === 'refused') {
      this.#write(leadingCompletions(parts));
      this.#skipping = true;
      if (answer.ends !== null) throw new SessionEnd(answer.ends, answer.error, answer.action);
      const { action, error, rules } = answer;
      this.#channel.write(toClient.errorResponse(reportOf(error, { action, rules })));
      return;
    }
    const { report } = answer;
    if (report.transaction === 'lost') {
      throw new SessionEnd('target-lost', new CountersignError('target.connection_lost'), answer.action);
    }
    if (report.error !== null) this.#skipping = true;
    const changed = changedPin(target.parameters, settings);
    if (changed !== null) {
      const detail = `The setting ${changed} of the session may not change.`;
      throw new SessionEnd('error', new CountersignError('protocol.unsupported', { detail }), answer.action);
    }
  }

  #write(messages: readonly Buffer[]): void {
    for (const message of messages) this.#channel.write(message);
  }

  #ready(): void {
    this.#skipping = false;
    this.#channel.write(toClient.readyForQuery(this.#status()));
  }

  /** A transaction in which the gateway refused something has failed, as it would have at the target. */
  #status(): TransactionStatus {
    const { session, target } = this.#options;
    if (target.status === 'T' && session.transaction?.refused === true) return 'E';
    return target.status;
  }
}
