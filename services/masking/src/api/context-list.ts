import type { Targets } from '../targets/index.js';

/** What the HTTP page shows of the targets. */
export class ContextList {
  readonly #names: readonly string[];
  readonly #targets: Targets;

  constructor(names: readonly string[], targets: Targets) {
    this.#names = names;
    this.#targets = targets;
  }

  list(): { target: string; digest: string | null }[] {
    return this.#names.map((target) => ({ target, digest: this.#targets.announcements.get(target) ?? null }));
  }
}
