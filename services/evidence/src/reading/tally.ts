/** Readings of one kind: who, what, with which answer. */
export interface Reading {
  /** Null where nobody was verified. */
  readonly principal: string | null;
  /** Route and filters; never a token, never a value. */
  readonly resource: string;
  /** Status of the answer (RFC 9110). */
  readonly status: number;
}

export interface CountedReading extends Reading {
  readonly count: number;
}

/** Kinds that are told apart in one tally; more come under the last. */
const mostKinds = 100;

/** Counts readings that are told of together. */
export class Tally {
  #counts = new Map<string, CountedReading>();

  add(reading: Reading): void {
    const key = JSON.stringify([reading.principal, reading.resource, reading.status]);
    const known = this.#counts.get(key);
    if (known === undefined && this.#counts.size >= mostKinds) {
      const other = { principal: null, resource: 'other', status: reading.status };
      const otherKey = JSON.stringify([null, 'other', reading.status]);
      this.#counts.set(otherKey, { ...other, count: (this.#counts.get(otherKey)?.count ?? 0) + 1 });
      return;
    }
    this.#counts.set(key, { ...reading, count: (known?.count ?? 0) + 1 });
  }

  /** What has been counted; begins anew. */
  take(): readonly CountedReading[] {
    const counted = [...this.#counts.values()];
    this.#counts = new Map();
    return counted;
  }
}
