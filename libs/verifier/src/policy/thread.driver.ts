import { Worker } from 'node:worker_threads';
import type { PolicyIdentity, PolicyRunner, Question } from './runner.js';

/** What a load or a batch of questions may take; honest ones take milliseconds. */
const TIME_LIMIT_MILLISECONDS = 20_000;

export type Request =
  | { readonly id: number; readonly kind: 'load'; readonly bundle: Uint8Array }
  | { readonly id: number; readonly kind: 'decide'; readonly questions: readonly Question[] };

export interface Answer {
  readonly id: number;
  readonly result: PolicyIdentity | null | readonly (string | null)[];
}

/**
 * Runs policies in a thread, which ends when a policy takes too long: from then on none answers. Close it, or the
 * process stays.
 */
export class ThreadPolicyRunner implements PolicyRunner {
  readonly #worker = new Worker(new URL('./thread.worker.js', import.meta.url));
  readonly #timeLimit: number;
  readonly #waiting = new Map<number, (result: Answer['result'] | undefined) => void>();
  #next = 0;
  #ended = false;

  /** @param timeLimit of each call, milliseconds */
  constructor(timeLimit = TIME_LIMIT_MILLISECONDS) {
    this.#timeLimit = timeLimit;
    this.#worker.on('message', ({ id, result }: Answer) => this.#settle(id, result));
    this.#worker.on('error', () => this.#end());
    this.#worker.on('exit', () => this.#end());
  }

  async load(bundle: Uint8Array): Promise<PolicyIdentity | null> {
    const result = await this.#ask((id) => ({ id, kind: 'load', bundle }));
    return isIdentity(result) ? result : null;
  }

  async decide(questions: readonly Question[]): Promise<readonly (string | null)[]> {
    const result = await this.#ask((id) => ({ id, kind: 'decide', questions }));
    return Array.isArray(result) ? result : questions.map(() => null);
  }

  async close(): Promise<void> {
    this.#end();
    await this.#worker.terminate();
  }

  async #ask(request: (id: number) => Request): Promise<Answer['result'] | undefined> {
    if (this.#ended) return undefined;
    const id = this.#next;
    this.#next += 1;
    const timer = setTimeout(() => void this.close(), this.#timeLimit);
    try {
      return await new Promise((resolve) => {
        this.#waiting.set(id, resolve);
        this.#worker.postMessage(request(id));
      });
    } finally {
      clearTimeout(timer);
    }
  }

  #settle(id: number, result: Answer['result'] | undefined): void {
    this.#waiting.get(id)?.(result);
    this.#waiting.delete(id);
  }

  #end(): void {
    this.#ended = true;
    for (const id of [...this.#waiting.keys()]) this.#settle(id, undefined);
  }
}

function isIdentity(result: Answer['result'] | undefined): result is PolicyIdentity {
  return typeof result === 'object' && result !== null && 'policyDigest' in result;
}
