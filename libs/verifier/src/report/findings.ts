import {
  type CheckId,
  type Finding,
  type FindingCode,
  findingKinds,
  type Severity,
  type Where,
} from './finding.js';

/** Findings of one code that are kept in full; the rest is counted. */
const MOST_OF_ONE_CODE = 100;

/** Collects findings: hostile dossiers can have one a line, and memory must not grow with them. */
export class Findings {
  readonly #kept: Finding[] = [];
  readonly #counts = new Map<FindingCode, number>();

  add(code: FindingCode, where: Where, sentence: string): void {
    const { check, severity } = findingKinds[code];
    const count = (this.#counts.get(code) ?? 0) + 1;
    this.#counts.set(code, count);
    if (count <= MOST_OF_ONE_CODE) this.#kept.push({ code, check, severity, sentence, where });
  }

  get kept(): readonly Finding[] {
    return this.#kept;
  }

  /** How many findings were not kept. */
  get uncounted(): number {
    return this.count() - this.#kept.length;
  }

  count(filter: { readonly check?: CheckId; readonly severity?: Severity } = {}): number {
    let total = 0;
    for (const [code, count] of this.#counts) {
      const { check, severity } = findingKinds[code];
      if ((filter.check ?? check) === check && (filter.severity ?? severity) === severity) total += count;
    }
    return total;
  }
}
