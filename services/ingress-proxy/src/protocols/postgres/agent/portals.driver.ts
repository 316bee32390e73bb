import type { ErrorCode } from '@countersign/errors';
import type { Answer, SuspendedAction } from '../../../gate/index.js';
import type { Execution } from './execution.driver.js';

interface Suspended {
  readonly execution: Execution;
  readonly action: SuspendedAction;
}

/** The portals of one session that have given rows and have more: each is an action that has not ended. */
export class SuspendedPortals {
  readonly #portals = new Map<string, Suspended>();
  /** The one in a transaction that ends with the next Sync: whatever becomes of its name, it lasts until then. */
  #implicit: Suspended | null = null;
  #names = 0;

  /** A name at the target that no other portal of the session has or had. */
  nextName(): string {
    this.#names += 1;
    return `countersign_${this.#names}`;
  }

  /** Whether something waits that a Sync would end: nothing else may run before. */
  get holdsImplicit(): boolean {
    return this.#implicit !== null;
  }

  add(name: string, execution: Execution, action: SuspendedAction): void {
    const suspended = { execution, action };
    this.#portals.set(name, suspended);
    if (execution.implicit) this.#implicit = suspended;
  }

  descriptionOf(name: string): Buffer | null {
    return this.#portals.get(name)?.execution.description ?? null;
  }

  /** The next portion of a portal; null where there is none of this name. */
  async continue(name: string, maximumRows: number, signal: AbortSignal): Promise<Answer | null> {
    const suspended = this.#portals.get(name);
    if (suspended === undefined) return null;
    const { execution, action } = suspended;
    this.#forget(name);
    const answer = await action.continue(
      () => execution.continue(maximumRows, signal),
      (code) => execution.abandon(code),
    );
    if (answer.kind === 'ran' && answer.more !== null) this.add(name, execution, answer.more);
    return answer;
  }

  /** A portal that the agent closes, or whose name it gives away; null where nothing has to be done yet. */
  async close(name: string): Promise<Answer | null> {
    const suspended = this.#portals.get(name);
    this.#portals.delete(name);
    if (suspended === undefined || suspended === this.#implicit) return null;
    return suspended.action.conclude(() => suspended.execution.close());
  }

  /** The end of an implicit transaction: rolled back where the agent was told of an error in it. */
  async sync(failed: boolean): Promise<Answer | null> {
    const suspended = this.#implicit;
    if (suspended === null) return null;
    this.#implicit = null;
    this.#portals.clear();
    const { action, execution } = suspended;
    return action.conclude(() =>
      failed ? execution.abandon('statement.transaction_failed') : execution.close(),
    );
  }

  /** All are gone, with their transaction or with the session. */
  async gone(error: ErrorCode | null): Promise<void> {
    const all = new Set([...this.#portals.values(), ...(this.#implicit === null ? [] : [this.#implicit])]);
    this.#portals.clear();
    this.#implicit = null;
    for (const { action, execution } of all) await action.conclude(async () => execution.gone(error));
  }

  #forget(name: string): void {
    if (this.#portals.get(name) === this.#implicit) this.#implicit = null;
    this.#portals.delete(name);
  }
}
