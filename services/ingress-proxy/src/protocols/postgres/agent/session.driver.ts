import { CountersignError, toCountersignError } from '@countersign/errors';
import type { EndReason } from '../../../session/index.js';
import type { Channel } from '../channel.driver.js';
import { decodeFrontend, type Format, type FrontendMessage, toClient } from '../codec/index.js';
import { Actions, type ActionsOptions } from './actions.driver.js';
import { emptyHead, leadingCompletions } from './answer-head.js';
import {
  type Effect,
  effectOf,
  emptyRegistry,
  executesAnother,
  isEmptyText,
  mayRunBeforeOthers,
  type Part,
  type Prepared,
  type Registry,
  withoutPortals,
  withoutUnnamed,
  withState,
} from './batch.js';
import { isExtended, sizeOf, unanalysableOf } from './messages.js';
import { questionOf } from './questions.js';
import { reportOf } from './reports.js';
import { SessionEnd } from './session-end.js';
import { statementOf } from './statement.js';

export interface AgentSessionOptions extends ActionsOptions {
  readonly maximumStatement: number;
  readonly idleMilliseconds: number;
}

/** Bounds of what an agent may send before its Sync. */
const MOST_BATCHED = 1_000;

/** One authenticated agent: turns its messages into actions, one after the other, and answers into messages. */
export class AgentSession {
  readonly #options: AgentSessionOptions;
  readonly #channel: Channel;
  readonly #actions: Actions;
  #registry: Registry = emptyRegistry;
  #batch: FrontendMessage[] = [];
  #batchBytes = 0;
  #busy = false;

  constructor(options: AgentSessionOptions) {
    this.#options = options;
    this.#channel = options.channel;
    this.#actions = new Actions(options);
  }

  /** Cancels the action at hand, as the agent asked; says whether there was one. */
  cancel(): boolean {
    return this.#actions.cancel();
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
      await this.#actions.gone();
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
        await this.#settlePortals();
        this.#ready();
        return;
      case 'flush':
        await this.#runBatch();
        return;
      default:
        break;
    }
    if (this.#actions.failed) return;
    if (isExtended(message)) {
      this.#collect(message, bytes);
      return;
    }
    await this.#runBatch();
    if (this.#actions.failed) return;
    await this.#settlePortals();
    await this.#actions.close('');
    await this.#simple(message);
    await this.#settlePortals();
    this.#ready();
  }

  /** What a Sync does to portals: it ends an implicit transaction, and outside of transactions there are none. */
  async #settlePortals(): Promise<void> {
    if (await this.#actions.settle()) this.#registry = withoutPortals(this.#registry);
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
    const { text } = message;
    const statement = {
      kind: 'statement',
      text,
      parameterTypes: [],
      parameters: [],
      purpose: 'run',
    } as const;
    const question = questionOf(text);
    if (question === null) await this.#actions.submit(statement, ['row-description']);
    else await this.#actions.ask(question, statement, { parts: ['row-description'], resultFormats: [] });
  }

  /** What is no statement is refused as an action, and recorded. */
  async #refuse(message: FrontendMessage): Promise<void> {
    const refused = unanalysableOf(message);
    if (refused === null) throw new CountersignError('protocol.out_of_order');
    await this.#actions.submit(refused, []);
  }

  async #runBatch(): Promise<void> {
    const messages = this.#batch;
    this.#batch = [];
    this.#batchBytes = 0;
    let parts: readonly Part[] = [];
    for (let index = 0; index < messages.length && !this.#actions.failed; index += 1) {
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
      case 'conclude':
        await this.#actions.close(effect.name);
        if (this.#actions.failed) return [];
        this.#registry = effect.registry;
        return [...parts, effect.part];
      case 'recall': {
        this.#write([...leadingCompletions(parts), ...this.#actions.descriptionOf(effect.name)]);
        return [];
      }
      case 'continue':
        this.#write(leadingCompletions(parts));
        if (await this.#actions.continue(effect.name, effect.maximumRows)) {
          this.#registry = withState(this.#registry, effect.name, 'ran');
        }
        return [];
      case 'prepare':
        await this.#prepare(effect.prepared, [...parts, effect.part], effect.resultFormats);
        return [];
      case 'run':
        await this.#runPortal(effect, executesAnother(messages, index), parts);
        return [];
      case 'refuse':
        this.#write(leadingCompletions(parts));
        await this.#actions.submit(effect.submitted, []);
        return [];
      case 'fail':
        this.#write(leadingCompletions(parts));
        this.#channel.write(toClient.errorResponse(reportOf(effect.error)));
        this.#actions.failed = true;
        return [];
    }
  }

  async #runPortal(
    effect: Extract<Effect, { do: 'run' }>,
    others: boolean,
    parts: readonly Part[],
  ): Promise<void> {
    const { portal, name, maximumRows } = effect;
    const { text } = portal.prepared;
    const question = questionOf(text);
    if (question !== null) {
      this.#registry = effect.registry;
      await this.#actions.ask(question, statementOf(portal), { parts, resultFormats: portal.resultFormats });
      return;
    }
    const inTransaction = this.#actions.status !== 'I';
    if (this.#actions.holdsImplicit || (others && !mayRunBeforeOthers(text, inTransaction))) {
      await this.#refuseText(text, parts);
      return;
    }
    this.#registry = effect.registry;
    if (isEmptyText(text)) {
      this.#write([...emptyHead(parts), toClient.emptyQuery]);
      return;
    }
    const { resultFormats } = portal;
    const manner = maximumRows === 0 ? { resultFormats } : { resultFormats, portal: { name, maximumRows } };
    if (await this.#actions.submit(statementOf(portal), parts, manner)) {
      this.#registry = withState(this.#registry, name, 'suspended');
    }
  }

  /** What would run with another in one implicit transaction is refused: either alone could not be undone. */
  async #refuseText(text: string, parts: readonly Part[]): Promise<void> {
    this.#write(leadingCompletions(parts));
    const bytes = Buffer.from(text);
    await this.#actions.submit({ kind: 'unanalysable', code: 'protocol.unsupported', bytes }, []);
  }

  async #prepare(
    prepared: Prepared,
    parts: readonly Part[],
    resultFormats: readonly Format[],
  ): Promise<void> {
    const statement = { kind: 'statement', ...prepared, parameters: [], purpose: 'prepare' } as const;
    const question = questionOf(prepared.text);
    if (isEmptyText(prepared.text)) this.#write(emptyHead(parts));
    else if (question !== null) await this.#actions.ask(question, statement, { parts, resultFormats });
    else if (this.#actions.holdsImplicit) await this.#refuseText(prepared.text, []);
    else await this.#actions.submit(statement, parts, { resultFormats });
  }

  #write(messages: readonly Buffer[]): void {
    for (const message of messages) this.#channel.write(message);
  }

  #ready(): void {
    this.#actions.failed = false;
    this.#channel.write(toClient.readyForQuery(this.#actions.status));
  }
}
