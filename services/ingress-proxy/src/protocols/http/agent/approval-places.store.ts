import { LRUCache } from 'lru-cache';

const MOST = 10_000;
const PREFIX = '/.countersign/approvals/';

/** Where agents look at approvals that they were told to wait for; nobody learns of those of others. */
export class ApprovalPlaces {
  readonly #agents = new LRUCache<string, string>({ max: MOST });

  /** The address of an approval below its target, from now on known to the agent. */
  place(target: string, approval: string, agent: string): string {
    this.#agents.set(approval, agent);
    return `/${target}${PREFIX}${approval}`;
  }

  /** The approval that an address below a target names; null where it names none. */
  named(path: string): string | null {
    return path.startsWith(PREFIX) ? path.slice(PREFIX.length) : null;
  }

  isKnownTo(approval: string, agent: string): boolean {
    return this.#agents.get(approval) === agent;
  }
}
