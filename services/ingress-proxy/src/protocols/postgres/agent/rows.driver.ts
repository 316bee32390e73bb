import { CountersignError, type ErrorCode } from '@countersign/errors';
import type { Release } from '../../../gate/index.js';
import type { Channel } from '../channel.driver.js';
import { type Column, dataRowBytes, decodeDataRow, type Frame, toClient } from '../codec/index.js';
import { releasable } from './columns.js';

export interface RowsOptions {
  readonly agent: Channel;
  readonly release: Release;
  /** Says that nothing more may be released. */
  readonly stop: (code: ErrorCode) => void;
}

/** The rows of one action on their way from the target to the agent: never more than one turn of them is held. */
export class Rows {
  readonly #agent: Channel;
  readonly #release: Release;
  readonly #stop: (code: ErrorCode) => void;
  #columns: readonly Column[] = [];
  #held: Frame[] = [];
  #seen = 0;
  #released = 0;
  #discarded = false;
  #stopped: ErrorCode | null = null;

  constructor(options: RowsOptions) {
    this.#agent = options.agent;
    this.#release = options.release;
    this.#stop = options.stop;
  }

  get released(): number {
    return this.#released;
  }

  /** Whether rows came that the agent does not get. */
  get discarded(): boolean {
    return this.#discarded;
  }

  onColumns(columns: readonly Column[]): void {
    this.#columns = columns;
  }

  onRow(frame: Frame): void {
    const { rowLimit } = this.#release;
    const exceeded = rowLimit !== null && this.#seen >= rowLimit;
    if (this.#stopped !== null || exceeded) {
      this.#discarded = true;
      this.#stop('release.row_limit');
      return;
    }
    this.#seen += 1;
    this.#held.push(frame);
  }

  /** From now on nothing is released, but for what is within the limit of rows. */
  close(code: ErrorCode): void {
    this.#stopped = code;
  }

  /** Releases what was collected, behind what `head` gives. Null where nothing has to be waited for. */
  flush(head: () => readonly Buffer[]): Promise<void> | null {
    if (this.#held.length === 0) return null;
    const rows = this.#held;
    this.#held = [];
    for (const message of head()) this.#agent.write(message);
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
      this.#discarded = true;
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
    this.#released += rows;
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
}
