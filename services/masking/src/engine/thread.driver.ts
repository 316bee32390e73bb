import { Worker } from 'node:worker_threads';
import type { TargetContext } from '../analysis/index.js';
import type { Order, Reply, Task } from './messages.js';

export interface ThreadOptions {
  readonly contexts: readonly TargetContext[];
  /** Old generation of the thread's heap, MiB. */
  readonly heapMegabytes: number;
  onReply(reply: Reply): void;
  /** The thread is gone, by its own crash or because it was ended. */
  onGone(): void;
}

/** One worker thread. */
export class Thread {
  readonly #worker: Worker;

  constructor(options: ThreadOptions) {
    this.#worker = new Worker(new URL('./engine.worker.js', import.meta.url), {
      workerData: options.contexts,
      resourceLimits: { maxOldGenerationSizeMb: options.heapMegabytes },
      // What a broken parser prints may hold the statement.
      stdout: true,
      stderr: true,
    });
    this.#worker.on('message', (reply: Reply) => options.onReply(reply));
    this.#worker.on('error', () => undefined);
    this.#worker.once('exit', () => options.onGone());
    // Not read, so not kept either.
    this.#worker.stdout.resume();
    this.#worker.stderr.resume();
  }

  order(order: Order): void {
    this.#worker.postMessage(order);
  }

  run(task: Task): void {
    this.order({ order: 'task', task });
  }

  async end(): Promise<void> {
    await this.#worker.terminate();
  }
}
