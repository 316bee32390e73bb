import { CountersignError, type ErrorCode } from '@countersign/errors';
import { cancellationOf, type Release, type Running, type RunReport } from '../../../gate/index.js';
import type { Channel } from '../channel.driver.js';
import {
  backendTypes,
  type Column,
  decodeParameterDescription,
  decodeReport,
  decodeRowDescription,
  decodeTag,
  type Format,
  type Frame,
  type TargetReport,
  toClient,
  toTarget,
} from '../codec/index.js';
import type { TargetConnection } from '../upstream/index.js';
import { AnswerHead, type OutputPart } from './answer-head.js';
import { toldColumns } from './columns.js';
import { affectedBy, endedBy, standingOf } from './outcomes.js';
import { reportOf, scrubbed } from './reports.js';
import { Rows } from './rows.driver.js';

export interface ExecutionOptions {
  readonly running: Running;
  /** In the order of the agent's messages; `row-description` for a simple query. */
  readonly parts: readonly OutputPart[];
  /** Forms in which the agent wants the columns. */
  readonly resultFormats: readonly Format[];
  /** A name at the target for what is to give its rows in portions; null where it gives all at once. */
  readonly portal: string | null;
  readonly agent: Channel;
  readonly target: TargetConnection;
  /** Records and asks for a cancellation. Rejects where that cannot be. */
  readonly cancel: () => Promise<void>;
}

/** How long a target may take to follow a cancellation before its connection is given up. */
const CANCEL_MILLISECONDS = 5_000;
/** SQLSTATE query_canceled. */
const CANCELLED = '57014';
/** No portal ever has this name: to execute it is an error, which is what rolls an implicit transaction back. */
const NO_PORTAL = 'countersign_none';
const ignored = { onFrame: (): void => undefined, onTurn: (): null => null };

/**
 * Runs one decided action at the target and streams what is released to the agent, at once or in portions. After a stop
 * (a limit, a lost agent, a failed release) nothing more is released; the target is told to cancel and read to its end, so
 * that the outcome is known. Limits hold over all portions.
 */
export class Execution {
  readonly #running: Running;
  readonly #release: Release;
  readonly #options: ExecutionOptions;
  readonly #rows: Rows;
  #head: AnswerHead;
  #columns: readonly Column[] | 'none' = 'none';
  #signal: AbortSignal;
  #millisecondsLeft: number | null;
  #tag: string | null = null;
  #empty = false;
  #suspended = false;
  #implicit = false;
  #failure: TargetReport | null = null;
  #stopped: ErrorCode | null = null;
  #silent = false;
  #cancelling: Promise<void> | null = null;
  #watchdog: NodeJS.Timeout | null = null;

  /** @param signal aborts with a CountersignError where the agent cancels */
  constructor(options: ExecutionOptions, signal: AbortSignal) {
    const { running, agent } = options;
    this.#options = options;
    this.#running = running;
    this.#release = running.release;
    this.#signal = signal;
    this.#millisecondsLeft = running.timeLimitSeconds === null ? null : running.timeLimitSeconds * 1000;
    this.#head = new AnswerHead(options.parts, running.purpose, options.resultFormats);
    this.#rows = new Rows({ agent, release: running.release, stop: (code) => this.#stop(code) });
  }

  /** Whether it waits with more rows in a transaction that ends with the next Sync. */
  get implicit(): boolean {
    return this.#suspended && this.#implicit;
  }

  /** What the agent was told of the columns. */
  get description(): Buffer {
    return this.#columns === 'none' ? toClient.noData : toClient.rowDescription(this.#columns);
  }

  /** @param maximumRows of the first portion; 0 for all */
  run(maximumRows: number): Promise<RunReport> {
    const running = this.#running;
    const { portal } = this.#options;
    const describesStatement = running.purpose === 'prepare' || this.#head.describesStatement;
    const begun = [
      toTarget.parse(running.text, running.parameterTypes),
      ...(describesStatement ? [toTarget.describeStatement] : []),
    ];
    if (running.purpose === 'prepare') return this.#whole([...begun]);
    const formats = { parameters: running.parameterFormats, results: this.#options.resultFormats };
    if (portal === null) {
      const bound = toTarget.bind(running.parameters, formats);
      return this.#whole([...begun, bound, toTarget.describePortal, toTarget.execute]);
    }
    const bound = toTarget.bind(running.parameters, formats, portal);
    this.#implicit = this.#options.target.status === 'I';
    return this.#portion([...begun, bound, toTarget.describeNamed(portal)], maximumRows);
  }

  /** The next portion of what was suspended. */
  continue(maximumRows: number, signal: AbortSignal): Promise<RunReport> {
    this.#signal = signal;
    this.#head = new AnswerHead([], 'run');
    return this.#portion([], maximumRows);
  }

  /** Ends what was suspended: the agent wants no more of it. An implicit transaction is committed. */
  close(): Promise<RunReport> {
    return this.#attempt(async () => {
      await this.#leave('close');
      return this.#finish();
    });
  }

  /** Gives up what was suspended, without a word: the agent hears of the reason elsewhere. An implicit transaction is rolled back. */
  abandon(code: ErrorCode): Promise<RunReport> {
    this.#stopped ??= code;
    this.#silent = true;
    return this.#attempt(async () => {
      await this.#leave('abort');
      return this.#finish();
    });
  }

  /** What was suspended is gone, because its transaction or its session has ended. */
  gone(error: ErrorCode | null): RunReport {
    const transaction = standingOf(this.#options.target.status);
    const ended = { rows: this.#rows.released, sqlstate: null, transaction, ended: null };
    if (error === null) return { ...ended, status: 'succeeded', error };
    return { ...ended, status: error === 'target.connection_lost' ? 'unknown' : 'refused', error };
  }

  #whole(messages: readonly Buffer[]): Promise<RunReport> {
    return this.#attempt(async () => {
      await this.#options.target.exchange(Buffer.concat([...messages, toTarget.sync]), this.#handler);
      return this.#finish();
    });
  }

  #portion(messages: readonly Buffer[], maximumRows: number): Promise<RunReport> {
    const { portal, target } = this.#options;
    const sent = [...messages, toTarget.executeNamed(portal ?? '', maximumRows), toTarget.flush];
    this.#suspended = false;
    return this.#attempt(async () => {
      await target.exchange(Buffer.concat(sent), this.#handler, 'answered');
      // A cancellation that is still on its way must meet no other statement.
      await this.#cancelling;
      if (this.#suspended && this.#stopped !== null) await this.#leave('abort');
      else if (!this.implicit) await target.exchange(toTarget.sync, this.#handler);
      return this.#finish();
    });
  }

  /** Gives the portal up. In a transaction of the agent it is closed; an implicit one ends. */
  async #leave(how: 'close' | 'abort'): Promise<void> {
    const { portal, target } = this.#options;
    this.#suspended = false;
    if (!this.#implicit) {
      const closed = Buffer.concat([toTarget.closePortal(portal ?? ''), toTarget.sync]);
      await target.exchange(closed, this.#handler);
    } else if (how === 'close') await target.exchange(toTarget.sync, this.#handler);
    else await target.exchange(Buffer.concat([toTarget.executeNamed(NO_PORTAL, 0), toTarget.sync]), ignored);
  }

  readonly #handler = {
    onFrame: (frame: Frame): void => this.#onFrame(frame),
    onTurn: (): Promise<void> | null => this.#rows.flush(() => this.#head.take()),
  };

  /** Works at the target within the limit of time, and while the agent is there. */
  async #attempt(work: () => Promise<RunReport>): Promise<RunReport> {
    const { agent, target } = this.#options;
    const signal = this.#signal;
    const started = performance.now();
    const limit =
      this.#millisecondsLeft === null
        ? null
        : setTimeout(() => this.#stop('release.time_limit'), this.#millisecondsLeft);
    const left = (): void => this.#stop('rpc.cancelled');
    const cancelled = (): void => this.#onCancelled();
    agent.closed.addEventListener('abort', left, { once: true });
    signal.addEventListener('abort', cancelled, { once: true });
    try {
      return await work();
    } catch {
      target.destroy();
      return { ...this.gone('target.connection_lost'), transaction: 'lost' };
    } finally {
      if (limit !== null) clearTimeout(limit);
      if (this.#watchdog !== null) clearTimeout(this.#watchdog);
      if (this.#millisecondsLeft !== null) {
        this.#millisecondsLeft = Math.max(0, this.#millisecondsLeft - (performance.now() - started));
      }
      agent.closed.removeEventListener('abort', left);
      signal.removeEventListener('abort', cancelled);
    }
  }

  #onFrame(frame: Frame): void {
    switch (frame.type) {
      case backendTypes.dataRow:
        this.#rows.onRow(frame);
        return;
      case backendTypes.parameterDescription:
        this.#head.onParameters(decodeParameterDescription(frame));
        return;
      case backendTypes.rowDescription: {
        const columns = decodeRowDescription(frame);
        this.#rows.onColumns(columns);
        this.#columns = toldColumns(columns, this.#release);
        this.#head.onColumns(this.#columns);
        return;
      }
      case backendTypes.noData:
        this.#head.onColumns('none');
        return;
      case backendTypes.commandComplete:
        this.#tag = decodeTag(frame);
        return;
      case backendTypes.emptyQuery:
        this.#empty = true;
        return;
      case backendTypes.portalSuspended:
        this.#suspended = true;
        return;
      case backendTypes.error:
        this.#failure = decodeReport(frame);
        return;
      case backendTypes.copyIn:
        this.#stop('protocol.unsupported');
        this.#options.target.write(toTarget.copyFail());
        return;
      case backendTypes.copyOut:
      case backendTypes.copyBoth:
        this.#stop('protocol.unsupported');
        return;
      default:
        // Completions of the gateway's own messages, and data of a COPY that is being stopped.
        return;
    }
  }

  #stop(code: ErrorCode): void {
    if (this.#stopped !== null) return;
    this.#stopped = code;
    this.#rows.close(code);
    this.#watchdog = setTimeout(() => this.#options.target.destroy(), CANCEL_MILLISECONDS);
    this.#askToCancel();
  }

  /**
   * The agent's own wish stops nothing here: the target says whether it came in time, so that what is told of the
   * statement is what became of it.
   */
  #onCancelled(): void {
    if (cancellationOf(this.#signal) !== null) this.#askToCancel();
  }

  #askToCancel(): void {
    const before = this.#cancelling ?? Promise.resolve();
    this.#cancelling = before.then(() => this.#options.cancel()).catch(() => this.#options.target.destroy());
  }

  /** What is told of a portion, once no cancellation can meet another statement any longer. */
  async #finish(): Promise<RunReport> {
    await this.#cancelling;
    const { agent, target } = this.#options;
    const transaction = standingOf(target.status);
    const rows = this.#rows.released;
    const tag = this.#tag;
    for (const message of this.#head.take()) agent.write(message);
    // What finished before the cancellation met it, and was released whole, was not stopped.
    if (this.#stopped !== null && (tag === null || this.#rows.discarded)) {
      return { ...this.#finishStopped(this.#stopped), rows, transaction, ended: endedBy(tag) };
    }
    if (this.#failure !== null) {
      return { ...this.#finishFailed(this.#failure), rows, transaction, ended: null };
    }
    const well = { status: 'succeeded', error: null, sqlstate: null, transaction } as const;
    if (this.#suspended) {
      agent.write(toClient.portalSuspended);
      return { ...well, rows, ended: null, suspended: true };
    }
    if (tag !== null) agent.write(toClient.commandComplete(tag));
    else if (this.#empty) agent.write(toClient.emptyQuery);
    return { ...well, rows: tag === null || rows > 0 ? rows : affectedBy(tag), ended: endedBy(tag) };
  }

  #finishFailed(failure: TargetReport): Pick<RunReport, 'status' | 'error' | 'sqlstate'> {
    const { action, knownNames } = this.#running;
    const { sqlstate } = failure;
    const cancelled = sqlstate === CANCELLED ? cancellationOf(this.#signal) : null;
    const words =
      cancelled === null ? scrubbed(failure, knownNames, action) : reportOf(cancelled, { action });
    this.#options.agent.write(toClient.errorResponse(words));
    return { status: 'failed', error: cancelled?.code ?? 'target.failed', sqlstate };
  }

  #finishStopped(code: ErrorCode): Pick<RunReport, 'status' | 'error' | 'sqlstate'> {
    if (!this.#silent) {
      const { action } = this.#running;
      this.#options.agent.write(toClient.errorResponse(reportOf(new CountersignError(code), { action })));
    }
    const sqlstate = this.#failure?.sqlstate ?? null;
    // A write that came to its end did happen, whatever became of the rows that it returned.
    if (this.#tag !== null && !this.#tag.startsWith('SELECT')) {
      return { status: 'succeeded', error: code, sqlstate };
    }
    const failed = code === 'release.time_limit' || code === 'statement.transaction_failed';
    return { status: failed ? 'failed' : 'refused', error: code, sqlstate };
  }
}
