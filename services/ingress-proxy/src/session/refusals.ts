import type { ErrorCode } from '@countersign/errors';

/** A refused connection or token. */
export interface Refusal {
  readonly target: string | null;
  readonly agent: string | null;
  readonly code: ErrorCode;
}

export interface CountedRefusal extends Refusal {
  readonly count: number;
}

/** Kinds of refusals that are told apart in one window; more are counted together. */
const MOST_KINDS = 500;
/** Refusals that are events of their own in one window, whatever their kinds: a flood must not become a flood of events. */
const MOST_SINGLE = 50;

/**
 * Refusals of one window of time: the first ones are events of their own, what exceeds them is counted by kind and
 * becomes one event a kind when the window ends.
 */
export class RefusalWindow {
  readonly #counts = new Map<string, { refusal: Refusal; count: number }>();
  readonly #seen = new Map<string, number>();
  #single = 0;

  /** The refusal as an event of its own, or null where it was only counted. */
  add(refusal: Refusal): CountedRefusal | null {
    const key = JSON.stringify([refusal.target, refusal.agent, refusal.code]);
    const seen = this.#seen.get(key) ?? 0;
    if (seen < 3 && this.#single < MOST_SINGLE) {
      this.#seen.set(key, seen + 1);
      this.#single += 1;
      return { ...refusal, count: 1 };
    }
    const counted = this.#counts.get(key);
    if (counted !== undefined) counted.count += 1;
    else if (this.#counts.size < MOST_KINDS) this.#counts.set(key, { refusal, count: 1 });
    else this.#addToRest(refusal.code);
    return null;
  }

  /** What was only counted, and begins a new window. */
  close(): readonly CountedRefusal[] {
    const counted = [...this.#counts.values()].map(({ refusal, count }) => ({ ...refusal, count }));
    this.#counts.clear();
    this.#seen.clear();
    this.#single = 0;
    return counted;
  }

  #addToRest(code: ErrorCode): void {
    const key = `rest ${code}`;
    const counted = this.#counts.get(key);
    if (counted === undefined) {
      this.#counts.set(key, { refusal: { target: null, agent: null, code }, count: 1 });
    } else counted.count += 1;
  }
}
