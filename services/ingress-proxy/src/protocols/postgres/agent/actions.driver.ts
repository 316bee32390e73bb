import { CountersignError } from '@countersign/errors';
import type { ActionPort, Answer, Gate, GateSession, Statement, Submitted } from '../../../gate/index.js';
import type { Channel } from '../channel.driver.js';
import { type Format, type TransactionStatus, toClient } from '../codec/index.js';
import { changedPin } from '../settings.js';
import type { TargetConnection } from '../upstream/index.js';
import { leadingCompletions, type OutputPart } from './answer-head.js';
import { Execution } from './execution.driver.js';
import { SuspendedPortals } from './portals.driver.js';
import {
  type AskingManner,
  type LocalRow,
  lastDecisionRows,
  localAnswer,
  type Question,
} from './questions.js';
import { reportOf, waitingNotice } from './reports.js';
import { SessionEnd } from './session-end.js';

export interface ActionsOptions {
  readonly channel: Channel;
  readonly session: GateSession;
  readonly gate: Gate;
  readonly target: TargetConnection;
  /** Settings with which the target connection was opened, and which must not change. */
  readonly settings: Readonly<Record<string, string>>;
  /** Records and sends a cancellation of what the target connection runs. */
  readonly cancel: (action: string, connection: TargetConnection) => Promise<void>;
  /** Aborts when the service stops. */
  readonly stopping: AbortSignal;
}

/** How an action is to be run, beside what it is. */
export interface Manner {
  readonly resultFormats: readonly Format[];
  /** Where rows are to come in portions: the agent's name for that, and the size of the first. */
  readonly portal?: { readonly name: string; readonly maximumRows: number };
}

const PLAIN: Manner = { resultFormats: [] };

/** The actions of one session: one at a time goes through the gate and to the target, and its answer to the agent. */
export class Actions {
  readonly #options: ActionsOptions;
  readonly #signal: AbortSignal;
  readonly #suspended = new SuspendedPortals();
  /** Stops the waiting, or the run, of the action at hand. */
  #current: AbortController | null = null;
  /** Whether the agent was told of an error since it was last told that it may go on. */
  failed = false;

  constructor(options: ActionsOptions) {
    this.#options = options;
    this.#signal = AbortSignal.any([options.channel.closed, options.stopping]);
    this.#signal.addEventListener('abort', () => this.#current?.abort(), { once: true });
  }

  /** A transaction in which the gateway refused something has failed, as it would have at the target. */
  get status(): TransactionStatus {
    const { session, target } = this.#options;
    if (target.status === 'T' && session.transaction?.refused === true) return 'E';
    return target.status;
  }

  /** Whether a portal waits in a transaction that ends with the next Sync: nothing else may run before. */
  get holdsImplicit(): boolean {
    return this.#suspended.holdsImplicit;
  }

  cancel(): boolean {
    if (this.#current === null) return false;
    this.#current.abort(new CountersignError('rpc.cancelled'));
    return true;
  }

  /** @returns whether more rows wait in a portal */
  async submit(
    submitted: Submitted,
    parts: readonly OutputPart[],
    { resultFormats, portal }: Manner = PLAIN,
  ): Promise<boolean> {
    const { gate, session, target, cancel, channel } = this.#options;
    let execution: Execution | null = null;
    const answer = await this.#underCancel((signal) => {
      const port: ActionPort = {
        signal,
        waiting: (approval) => channel.write(toClient.noticeResponse(waitingNotice(approval))),
        run: (running) => {
          const name = portal === undefined ? null : this.#suspended.nextName();
          const around = { running, parts, resultFormats, portal: name, agent: channel, target };
          execution = new Execution({ ...around, cancel: () => cancel(running.action, target) }, signal);
          return execution.run(portal?.maximumRows ?? 0);
        },
      };
      return gate.submit(session, submitted, port);
    });
    const more = answer.kind === 'ran' ? answer.more : null;
    if (more !== null && execution !== null && portal !== undefined) {
      this.#suspended.add(portal.name, execution, more);
    }
    this.#onAnswer(answer, parts);
    return more !== null;
  }

  /**
   * The next portion of a portal that has more.
   * @returns whether it was the last
   */
  async continue(name: string, maximumRows: number): Promise<boolean> {
    const answer = await this.#underCancel((signal) => this.#suspended.continue(name, maximumRows, signal));
    if (answer === null) throw new CountersignError('protocol.out_of_order');
    this.#onAnswer(answer, []);
    return answer.kind === 'refused' || answer.more === null;
  }

  descriptionOf(name: string): readonly Buffer[] {
    const description = this.#suspended.descriptionOf(name);
    return description === null ? [] : [description];
  }

  /** The agent wants no more rows of a portal. */
  async close(name: string): Promise<void> {
    const answer = await this.#suspended.close(name);
    if (answer !== null) this.#onAnswer(answer, []);
  }

  /**
   * What a Sync does: it ends an implicit transaction, and outside of transactions there are no portals.
   * @returns whether all portals are gone
   */
  async settle(): Promise<boolean> {
    const answer = await this.#suspended.sync(this.failed);
    if (answer !== null) this.#onAnswer(answer, []);
    if (this.#options.target.status !== 'I') return false;
    await this.#suspended.gone(null);
    return true;
  }

  /** The session ends, and with it what waits in portals. */
  async gone(): Promise<void> {
    const lost = this.#options.target.closed.aborted;
    await this.#suspended.gone(lost ? 'target.connection_lost' : 'rpc.cancelled');
  }

  /** Answers a question to the gateway itself: the target hears nothing of it. */
  async ask(question: Question, statement: Statement, manner: AskingManner): Promise<void> {
    const { gate, session, channel } = this.#options;
    let rows: readonly LocalRow[] = [];
    if (question.kind === 'explain' && statement.purpose === 'run') {
      const explained = await this.#underCancel((signal) =>
        gate.explain(session, { ...statement, text: question.text }, signal),
      );
      if (explained.kind === 'refused') {
        this.#onAnswer(explained, manner.parts);
        return;
      }
      rows = [[JSON.stringify(explained.explanation, null, 2)]];
    } else if (question.kind === 'last-decision') rows = lastDecisionRows(session.lastDecision);
    for (const message of localAnswer(question, rows, statement, manner)) channel.write(message);
  }

  /** Does what the agent may cancel meanwhile. */
  async #underCancel<Result>(work: (signal: AbortSignal) => Promise<Result>): Promise<Result> {
    const current = new AbortController();
    if (this.#signal.aborted) current.abort();
    this.#current = current;
    try {
      return await work(current.signal);
    } finally {
      this.#current = null;
    }
  }

  #onAnswer(answer: Answer, parts: readonly OutputPart[]): void {
    const { channel, target, settings } = this.#options;
    if (answer.kind === 'refused') {
      for (const message of leadingCompletions(parts)) channel.write(message);
      this.failed = true;
      if (answer.ends !== null) throw new SessionEnd(answer.ends, answer.error, answer.action);
      const { action, error, rules } = answer;
      channel.write(toClient.errorResponse(reportOf(error, { action, rules })));
      return;
    }
    const { report } = answer;
    if (report.transaction === 'lost') {
      throw new SessionEnd('target-lost', new CountersignError('target.connection_lost'), answer.action);
    }
    if (report.error !== null) this.failed = true;
    const changed = changedPin(target.parameters, settings);
    if (changed !== null) {
      const detail = `The setting ${changed} of the session may not change.`;
      throw new SessionEnd('error', new CountersignError('protocol.unsupported', { detail }), answer.action);
    }
  }
}
