import { CountersignError, type ErrorCode } from '@countersign/errors';
import { cancellationOf, type Release, type Running, type RunReport } from '../../../gate/index.js';
import type { Channel } from '../channel.driver.js';
import {
  backendTypes,
  type Column,
  dataRowBytes,
  decodeDataRow,
  decodeParameterDescription,
  decodeReport,
  decodeRowDescription,
  decodeTag,
  type Format,
  type Frame,
  rowsOfTag,
  type TargetReport,
  type TransactionStatus,
  toClient,
  toTarget,
} from '../codec/index.js';
import type { TargetConnection } from '../upstream/index.js';
import { AnswerHead, type OutputPart } from './answer-head.js';
import { releasable, toldColumns } from './columns.js';
import { reportOf, scrubbed } from './reports.js';

export interface ExecutionOptions {
  readonly running: Running;
  /** In the order of the agent's messages; `row-description` for a simple query. */
  readonly parts: readonly OutputPart[];
  /** Forms in which the agent wants the columns. */
  readonly resultFormats: readonly Format[];
  readonly agent: Channel;
  readonly target: TargetConnection;
  /** Aborts with a CountersignError where the agent cancels. */
  readonly signal: AbortSignal;
  /** Records and asks for a cancellation. Rejects where that cannot be. */
  readonly cancel: () => Promise<void>;
}

/** How long a target may take to follow a cancellation before its connection is given up. */
const CANCEL_MILLISECONDS = 5_000;
/** SQLSTATE query_canceled. */
const CANCELLED = '57014';

/**
 * Runs one decided action at the target and streams what is released to the agent, never holding more than one turn of
 * rows. After a stop (a limit, a lost agent, a failed release) nothing more is released; the target is told to cancel and
 * read to its end, so that the outcome is known.
 */
export class Execution {
  readonly #running: Running;
  readonly #release: Release;
  readonly #agent: Channel;
  readonly #target: TargetConnection;
  readonly #signal: AbortSignal;
  readonly #cancel: () => Promise<void>;
  readonly #resultFormats: readonly Format[];
  readonly #head: AnswerHead;
  #columns: readonly Column[] = [];
  #rows: Frame[] = [];
  #rowsSeen = 0;
  #rowsReleased = 0;
  #tag: string | null = null;
  #empty = false;
  #failure: TargetReport | null = null;
  #stopped: ErrorCode | null = null;
  #discarded = false;
  #cancelling: Promise<void> | null = null;
  #watchdog: NodeJS.Timeout | null = null;

  constructor(options: ExecutionOptions) {
    this.#running = options.running;
    this.#release = options.running.release;
    this.#agent = options.agent;
    this.#target = options.target;
    this.#signal = options.signal;
    this.#cancel = options.cancel;
    this.#resultFormats = options.resultFormats;
    this.#head = new AnswerHead(options.parts, options.running.purpose, options.resultFormats);
  }

  async run(): Promise<RunReport> {
    const { timeLimitSeconds } = this.#running;
    const limit =
      timeLimitSeconds === null
        ? null
        : setTimeout(() => this.#stop('release.time_limit'), timeLimitSeconds * 1000);
    const left = (): void => this.#stop('rpc.cancelled');
    this.#agent.closed.addEventListener('abort', left, { once: true });
    const cancelled = (): void => this.#onCancelled();
    this.#signal.addEventListener('abort', cancelled, { once: true });
    try {
      const status = await this.#target.exchange(this.#messages(), {
        onFrame: (frame) => this.#onFrame(frame),
        onTurn: () => this.#flush(),
      });
      // A cancellation that is still on its way must not meet the next action.
      await this.#cancelling;
      return this.#finish(status);
    } catch {
      this.#target.destroy();
      return this.#lost();
    } finally {
      if (limit !== null) clearTimeout(limit);
      if (this.#watchdog !== null) clearTimeout(this.#watchdog);
      this.#agent.closed.removeEventListener('abort', left);
      this.#signal.removeEventListener('abort', cancelled);
    }
  }

  #messages(): Buffer {
    const running = this.#running;
    const describesStatement = running.purpose === 'prepare' || this.#head.describesStatement;
    const messages = [
      toTarget.parse(running.text, running.parameterTypes),
      ...(describesStatement ? [toTarget.describeStatement] : []),
      ...(running.purpose === 'run' ? [this.#bind(), toTarget.describePortal, toTarget.execute] : []),
      toTarget.sync,
    ];
    return Buffer.concat(messages);
  }

  #bind(): Buffer {
    const { parameters, parameterFormats } = this.#running;
    return toTarget.bind(parameters, { parameters: parameterFormats, results: this.#resultFormats });
  }

  #onFrame(frame: Frame): void {
    switch (frame.type) {
      case backendTypes.dataRow:
        this.#onRow(frame);
        return;
      case backendTypes.parameterDescription:
        this.#head.onParameters(decodeParameterDescription(frame));
        return;
      case backendTypes.rowDescription:
        this.#columns = decodeRowDescription(frame);
        this.#head.onColumns(toldColumns(this.#columns, this.#release));
        return;
      case backendTypes.noData:
        this.#head.onColumns('none');
        return;
      case backendTypes.commandComplete:
        this.#tag = decodeTag(frame);
        return;
      case backendTypes.emptyQuery:
        this.#empty = true;
        return;
      case backendTypes.error:
        this.#failure = decodeReport(frame);
        return;
      case backendTypes.copyIn:
        this.#stop('protocol.unsupported');
        this.#target.write(toTarget.copyFail());
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

  #onRow(frame: Frame): void {
    const { rowLimit } = this.#release;
    const exceeded = rowLimit !== null && this.#rowsSeen >= rowLimit;
    if (this.#stopped !== null || exceeded) {
      this.#discarded = true;
      this.#stop('release.row_limit');
      return;
    }
    this.#rowsSeen += 1;
    this.#rows.push(frame);
  }

  /** Releases what was collected. Null where nothing has to be waited for. */
  #flush(): Promise<void> | null {
    if (this.#rows.length === 0) return null;
    const rows = this.#rows;
    this.#rows = [];
    for (const message of this.#head.take()) this.#agent.write(message);
    if (this.#release.columns.length > 0) return this.#releaseReplaced(rows);
    this.#send(
      rows.map((frame) => frame.whole),
      rows.length,
      rows.reduce((sum, row) => sum + dataRowBytes(row), 0),
    );
    return this.#agent.needsDrain ? this.#drained() : null;
  }

  async #releaseReplaced(rows: readonly Frame[]): Promise<void> {
    try {
      const cells = rows.map(decodeDataRow);
      const wanted = cells.flatMap((row, rowIndex) =>
        this.#release.columns.flatMap((column) => {
          const value = row[column];
          // A column that is not there means that masking spoke of another result than the target gave.
          if (value === undefined) throw new CountersignError('masking.not_reproducible');
          return value === null
            ? []
            : [{ rowIndex, column, value: releasable(value, this.#columns[column]) }];
        }),
      );
      const values = await this.#release.replace(wanted);
      wanted.forEach(({ rowIndex, column }, index) => {
        const value = values[index];
        const row = cells[rowIndex];
        if (value === undefined || row === undefined) throw new CountersignError('masking.unavailable');
        row[column] = Buffer.from(value);
      });
      const bytes = cells.flat().reduce((sum, value) => sum + (value?.length ?? 0), 0);
      this.#send(cells.map(toClient.dataRow), cells.length, bytes);
    } catch (thrown) {
      this.#stop(thrown instanceof CountersignError ? thrown.code : 'internal');
      return;
    }
    await this.#drained();
  }

  /** The one place where values go to an agent: committed to first, and not at all once the action is stopped. */
  #send(messages: readonly Buffer[], rows: number, valueBytes: number): void {
    if (this.#stopped !== null && this.#stopped !== 'release.row_limit') {
      this.#discarded = true;
      return;
    }
    const bytes = messages.length === 1 && messages[0] !== undefined ? messages[0] : Buffer.concat(messages);
    this.#release.commit(bytes, rows, valueBytes);
    this.#rowsReleased += rows;
    this.#agent.write(bytes);
  }

  async #drained(): Promise<void> {
    try {
      await this.#agent.drained();
    } catch {
      // Who does not read for so long is not there.
      this.#agent.destroy();
    }
  }

  #stop(code: ErrorCode): void {
    if (this.#stopped !== null) return;
    this.#stopped = code;
    this.#watchdog = setTimeout(() => this.#target.destroy(), CANCEL_MILLISECONDS);
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
    this.#cancelling = before.then(this.#cancel).catch(() => this.#target.destroy());
  }

  #finish(status: TransactionStatus): RunReport {
    const transaction = status === 'I' ? 'idle' : status === 'T' ? 'open' : 'failed';
    const rows = this.#rowsReleased;
    const tag = this.#tag;
    for (const message of this.#head.take()) this.#agent.write(message);
    // What finished before the cancellation met it, and was released whole, was not stopped.
    if (this.#stopped !== null && (tag === null || this.#discarded)) {
      return { ...this.#finishStopped(this.#stopped), rows, transaction, ended: endedBy(tag) };
    }
    if (this.#failure !== null) {
      const { action, knownNames } = this.#running;
      const { sqlstate } = this.#failure;
      const cancelled = sqlstate === CANCELLED ? cancellationOf(this.#signal) : null;
      const words =
        cancelled === null ? scrubbed(this.#failure, knownNames, action) : reportOf(cancelled, { action });
      this.#agent.write(toClient.errorResponse(words));
      const error = cancelled?.code ?? 'target.failed';
      return { status: 'failed', error, sqlstate, rows, transaction, ended: null };
    }
    if (tag !== null) this.#agent.write(toClient.commandComplete(tag));
    else if (this.#empty) this.#agent.write(toClient.emptyQuery);
    return {
      status: 'succeeded',
      error: null,
      sqlstate: null,
      rows: tag === null || rows > 0 ? rows : affectedBy(tag),
      transaction,
      ended: endedBy(tag),
    };
  }

  #finishStopped(code: ErrorCode): Pick<RunReport, 'status' | 'error' | 'sqlstate'> {
    const error = new CountersignError(code);
    this.#agent.write(toClient.errorResponse(reportOf(error, { action: this.#running.action })));
    const sqlstate = this.#failure?.sqlstate ?? null;
    // A write that came to its end did happen, whatever became of the rows that it returned.
    if (this.#tag !== null && !this.#tag.startsWith('SELECT')) {
      return { status: 'succeeded', error: code, sqlstate };
    }
    return { status: code === 'release.time_limit' ? 'failed' : 'refused', error: code, sqlstate };
  }

  #lost(): RunReport {
    return {
      status: 'unknown',
      error: 'target.connection_lost',
      sqlstate: this.#failure?.sqlstate ?? null,
      rows: this.#rowsReleased,
      transaction: 'lost',
      ended: null,
    };
  }
}

function affectedBy(tag: string): number {
  return tag.startsWith('SELECT') ? 0 : rowsOfTag(tag);
}

function endedBy(tag: string | null): 'committed' | 'rolled-back' | null {
  if (tag === 'COMMIT') return 'committed';
  return tag === 'ROLLBACK' ? 'rolled-back' : null;
}
