import { type Column, type Format, toClient } from '../codec/index.js';
import type { Part } from './batch.js';

/** What an answer consists of before its rows; `row-description` is that of a simple query. */
export type OutputPart = Part | 'row-description';

/** What a target said of columns; `none` for a statement that gives no rows. */
type Columns = readonly Column[] | 'none';

/** The part of an answer before its rows, in the order in which the agent asked for it. */
export class AnswerHead {
  readonly #purpose: 'run' | 'prepare';
  readonly #formats: readonly Format[];
  #parts: readonly OutputPart[];
  #types: readonly number[] | null = null;
  #statement: Columns | null = null;
  #portal: Columns | null = null;

  /** @param formats those of the results, for a portal that is described without a run */
  constructor(parts: readonly OutputPart[], purpose: 'run' | 'prepare', formats: readonly Format[] = []) {
    this.#parts = parts;
    this.#formats = formats;
    this.#purpose = purpose;
  }

  get describesStatement(): boolean {
    return this.#parts.includes('describe-statement');
  }

  onParameters(types: readonly number[]): void {
    this.#types = types;
  }

  /** The description of the statement comes behind its parameters, and before that of the portal. */
  onColumns(columns: Columns): void {
    if (this.#types !== null && this.#statement === null) this.#statement = columns;
    else this.#portal = columns;
  }

  /** The messages that can be sent now: as far as the target has said what they need. */
  take(): readonly Buffer[] {
    const ready: Buffer[] = [];
    for (;;) {
      const [part, ...rest] = this.#parts;
      const messages = part === undefined ? null : this.#messagesOf(part);
      if (messages === null) return ready;
      this.#parts = rest;
      ready.push(...messages);
    }
  }

  /** Null while the target has not said it yet. */
  #messagesOf(part: OutputPart): readonly Buffer[] | null {
    switch (part) {
      case 'parse-complete':
      case 'bind-complete':
      case 'close-complete':
        return [completions[part]];
      case 'describe-statement': {
        const columns = described(this.#statement);
        if (columns === null || this.#types === null) return null;
        return [toClient.parameterDescription(this.#types), columns];
      }
      case 'describe-portal': {
        const columns = described(this.#portal ?? (this.#purpose === 'prepare' ? this.#bound() : null));
        return columns === null ? null : [columns];
      }
      case 'row-description':
        if (this.#portal === null) return null;
        return this.#portal === 'none' ? [] : [toClient.rowDescription(this.#portal)];
    }
  }

  /** The columns of a statement in the form in which its portal would give them. */
  #bound(): Columns | null {
    if (this.#statement === null || this.#statement === 'none') return this.#statement;
    const formats = this.#formats;
    return this.#statement.map((column, index) => ({
      ...column,
      format: formats[formats.length === 1 ? 0 : index] ?? 0,
    }));
  }
}

const completions = {
  'parse-complete': toClient.parseComplete,
  'bind-complete': toClient.bindComplete,
  'close-complete': toClient.closeComplete,
} as const;

/** What needs no target: the parts before the first description. */
export function leadingCompletions(parts: readonly OutputPart[]): readonly Buffer[] {
  return new AnswerHead(parts, 'run').take();
}

/** The answer for a text without a statement: no parameters and no rows, and nobody has to be asked. */
export function emptyHead(parts: readonly OutputPart[]): readonly Buffer[] {
  const head = new AnswerHead(parts, 'run');
  head.onParameters([]);
  head.onColumns('none');
  head.onColumns('none');
  return head.take();
}

function described(columns: Columns | null): Buffer | null {
  if (columns === null) return null;
  return columns === 'none' ? toClient.noData : toClient.rowDescription(columns);
}
