import { AsyncLocalStorage } from 'node:async_hooks';
import { randomUUID } from 'node:crypto';

const storage = new AsyncLocalStorage<string>();

/** The correlation id of what is being done, as events and logs carry it; undefined outside of any request. */
export function correlationId(): string | undefined {
  return storage.getStore();
}

/** Whether a correlation id from outside may be taken over: 1 to 64 of letters, digits and . _ : - */
export function isCorrelationId(text: unknown): text is string {
  return typeof text === 'string' && /^[A-Za-z0-9._:-]{1,64}$/.test(text);
}

/** Runs something under a correlation id: the one given where it is well-formed, else a new one. */
export function withCorrelation<Result>(id: string | undefined, run: (id: string) => Result): Result {
  const chosen = isCorrelationId(id) ? id : randomUUID();
  return storage.run(chosen, () => run(chosen));
}
