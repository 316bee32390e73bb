import { CountersignError, fromWire } from '@countersign/errors';
import type { TargetContext } from '../analysis/index.js';
import type { Reply, Task, TaskResults } from './messages.js';
import { Thread } from './thread.driver.js';

export interface PoolOptions {
  readonly threads: number;
  /** Longest work on one statement, milliseconds; then its thread is killed and replaced. */
  readonly watchdogMilliseconds: number;
  readonly heapMegabytes: number;
  /** Statements after which a thread is replaced anyway, since WASM memory never shrinks. */
  readonly recycleAfter: number;
  /** Most tasks that wait. */
  readonly queueLimit: number;
  /** Told why a thread was replaced, for logs and metrics. */
  onReplaced?(reason: ReplacedReason): void;
  /** Told where a fault of our own was thrown. */
  onFault?(where: string): void;
}

export type ReplacedReason = 'crashed' | 'watchdog' | 'poisoned' | 'recycled';

export const poolDefaults = {
  threads: 2,
  watchdogMilliseconds: 3000,
  heapMegabytes: 512,
  recycleAfter: 20_000,
  queueLimit: 2000,
} as const satisfies PoolOptions;

interface Waiting {
  readonly task: Task;
  readonly since: number;
  resolve(result: unknown): void;
  reject(error: CountersignError): void;
}

interface Slot {
  thread: Thread;
  ready: boolean;
  served: number;
  current: Waiting | null;
  watchdog: NodeJS.Timeout | null;
  ending: ReplacedReason | null;
}

/** Describing a catalogue parses every view and function; it may take this many times as long as a statement. */
const DESCRIBE_PATIENCE = 20;
/** How soon a thread that died while it started is tried again, milliseconds; doubled each time, up to the most. */
const RESTART = { first: 200, most: 10_000 } as const;

/**
 * Threads that parse and analyse. One that crashes, hangs or was given a poisonous input is killed and replaced, its
 * statement refused; the others go on meanwhile.
 */
export class EnginePool {
  readonly #options: PoolOptions;
  readonly #slots = new Set<Slot>();
  readonly #queue: Waiting[] = [];
  readonly #contexts = new Map<string, TargetContext>();
  readonly #impatience: NodeJS.Timeout;
  #closed = false;
  #failedStarts = 0;

  constructor(options: PoolOptions) {
    this.#options = options;
    for (let index = 0; index < options.threads; index += 1) this.#start();
    this.#impatience = setInterval(() => this.#dismiss(), options.watchdogMilliseconds / 4).unref();
  }

  /** Threads that can work now. */
  get readyThreads(): number {
    return [...this.#slots].filter(({ ready }) => ready).length;
  }

  setContext(context: TargetContext): void {
    this.#contexts.set(context.target, context);
    // Orders arrive in order, so work given from now on sees it.
    for (const { thread } of this.#slots) thread.order({ order: 'context', context });
  }

  /**
   * Does a task on some thread.
   * @throws statement.too_complex where the thread died over it, rpc.overloaded, and what the task itself throws
   */
  run<Kind extends Task['kind']>(task: Extract<Task, { kind: Kind }>): Promise<TaskResults[Kind]> {
    if (this.#closed) return Promise.reject(new CountersignError('service.stopping'));
    if (this.#queue.length >= this.#options.queueLimit)
      return Promise.reject(new CountersignError('rpc.overloaded'));
    return new Promise((resolve, reject) => {
      this.#queue.push({ task, since: Date.now(), resolve: resolve as (result: unknown) => void, reject });
      this.#dispatch();
    });
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearInterval(this.#impatience);
    for (const waiting of this.#queue.splice(0)) waiting.reject(new CountersignError('service.stopping'));
    await Promise.all([...this.#slots].map(({ thread }) => thread.end()));
  }

  #start(): void {
    const slot: Slot = {
      thread: new Thread({
        contexts: [...this.#contexts.values()],
        heapMegabytes: this.#options.heapMegabytes,
        onReply: (reply) => this.#onReply(slot, reply),
        onGone: () => this.#onGone(slot),
      }),
      ready: false,
      served: 0,
      current: null,
      watchdog: null,
      ending: null,
    };
    this.#slots.add(slot);
  }

  /** Refuses what has waited for a thread as long as a statement may take: its caller waits no longer either. */
  #dismiss(): void {
    const patience = this.#options.watchdogMilliseconds;
    while (this.#queue[0] !== undefined && Date.now() - this.#queue[0].since > patience)
      this.#queue.shift()?.reject(new CountersignError('rpc.overloaded'));
  }

  #dispatch(): void {
    for (const slot of this.#slots) {
      if (!slot.ready || slot.current !== null || slot.ending !== null) continue;
      const waiting = this.#queue.shift();
      if (waiting === undefined) return;
      slot.current = waiting;
      const patience =
        this.#options.watchdogMilliseconds * (waiting.task.kind === 'describe' ? DESCRIBE_PATIENCE : 1);
      slot.watchdog = setTimeout(() => this.#end(slot, 'watchdog'), patience);
      slot.thread.run(waiting.task);
    }
  }

  #onReply(slot: Slot, reply: Reply): void {
    if (reply.reply === 'ready') {
      slot.ready = true;
      this.#failedStarts = 0;
      this.#dispatch();
      return;
    }
    const { current } = slot;
    this.#release(slot);
    slot.served += 1;
    if (reply.reply === 'done') current?.resolve(reply.result);
    else {
      if (reply.where !== undefined) this.#options.onFault?.(reply.where);
      current?.reject(fromWire(reply.error));
    }
    if (reply.spent) this.#end(slot, 'poisoned');
    else if (slot.served >= this.#options.recycleAfter) this.#end(slot, 'recycled');
    this.#dispatch();
  }

  #release(slot: Slot): void {
    if (slot.watchdog !== null) clearTimeout(slot.watchdog);
    slot.watchdog = null;
    slot.current = null;
  }

  #end(slot: Slot, reason: ReplacedReason): void {
    slot.ending = reason;
    void slot.thread.end();
  }

  #onGone(slot: Slot): void {
    const { current, ready } = slot;
    this.#release(slot);
    this.#slots.delete(slot);
    current?.reject(new CountersignError(this.#closed ? 'service.stopping' : 'statement.too_complex'));
    if (this.#closed) return;
    this.#options.onReplaced?.(slot.ending ?? 'crashed');
    if (ready) {
      this.#start();
      return;
    }
    const pause = Math.min(RESTART.first * 2 ** this.#failedStarts, RESTART.most);
    this.#failedStarts += 1;
    setTimeout(() => this.#closed || this.#start(), pause).unref();
  }
}
