import type { Decision } from '@countersign/contracts';
import type { PolicyRunner } from '../../policy/index.js';
import type { Findings, Where } from '../../report/index.js';

/** Questions that go to the runner at once. */
const BATCH = 256;
/** Batches that wait for answers at most: while they are answered, the next events are read. */
const BATCHES_UNDER_WAY = 4;
/** Decisions that are remembered: within a second many actions have the same input. */
const KNOWN_DECISIONS = 4096;

export interface Rerun {
  readonly bundleDigest: string;
  readonly policyDigest: string;
  /** Canonical JSON of the input, and its digest. */
  readonly input: string;
  readonly inputDigest: string;
  /** Canonical JSON of the recorded decision. */
  readonly recorded: string;
  readonly where: Where;
}

/** Asks policies again, in batches beside the reading of events, and compares what they decide. */
export class Reruns {
  readonly #runner: PolicyRunner;
  readonly #findings: Findings;
  readonly #known = new Map<string, string | null>();
  #pending: Rerun[] = [];
  readonly #underWay = new Set<Promise<void>>();

  constructor(runner: PolicyRunner, findings: Findings) {
    this.#runner = runner;
    this.#findings = findings;
  }

  add(rerun: Rerun): void {
    const known = this.#known.get(nameOf(rerun));
    if (known === undefined) this.#pending.push(rerun);
    else this.#compare(rerun, known);
  }

  /** Resolves when more can be added. */
  async ready(): Promise<void> {
    if (this.#pending.length < BATCH) return;
    this.#send();
    while (this.#underWay.size >= BATCHES_UNDER_WAY) await Promise.race(this.#underWay);
  }

  /** Resolves when everything was compared. */
  async finish(): Promise<void> {
    this.#send();
    await Promise.all(this.#underWay);
  }

  #send(): void {
    const batch = this.#pending;
    this.#pending = [];
    if (batch.length === 0) return;
    const sent = this.#ask(batch).finally(() => this.#underWay.delete(sent));
    this.#underWay.add(sent);
  }

  async #ask(batch: readonly Rerun[]): Promise<void> {
    const decisions = await this.#runner.decide(batch);
    if (this.#known.size >= KNOWN_DECISIONS) this.#known.clear();
    for (const [position, rerun] of batch.entries()) {
      const decision = decisions[position] ?? null;
      this.#known.set(nameOf(rerun), decision);
      this.#compare(rerun, decision);
    }
  }

  #compare({ where, recorded, policyDigest }: Rerun, decision: string | null): void {
    if (decision === recorded) return;
    this.#findings.add(
      'policy.decision',
      where,
      `Policy ${policyDigest} decides ${decision === null ? 'nothing' : phrase(decision)} on the input of event index ${where.index}; recorded is ${phrase(recorded)}.`,
    );
  }
}

function nameOf({ bundleDigest, inputDigest }: Rerun): string {
  return `${bundleDigest} ${inputDigest}`;
}

/** A recorded decision can be of any shape: it is what somebody wrote. */
function phrase(decision: string): string {
  const { verdict, rules } = JSON.parse(decision) as Partial<Decision>;
  const names = Array.isArray(rules) ? rules.filter((rule) => typeof rule === 'string') : [];
  return `${typeof verdict === 'string' ? verdict : 'no verdict'} by ${names.join(', ') || 'no rule'}`;
}
