import { CountersignError } from '@countersign/errors';
import type { CallContext, UnaryBinding } from '../definition.js';
import { errorOfHandler } from '../failure.js';
import type { Slots } from './slots.js';

/** What became of a call. */
export type Outcome =
  | { readonly payload: Buffer; readonly error?: undefined }
  | { readonly payload?: undefined; readonly error: CountersignError };

/** What is told of a call that ended in an error. */
export interface FailedCall {
  readonly service: string;
  readonly method: string;
  readonly correlationId: string | undefined;
  readonly error: CountersignError;
}

export interface WorkOptions {
  readonly slots: readonly Slots[];
  readonly maxPayloadBytes: number;
  /** Time for it, milliseconds. */
  readonly deadlineMilliseconds: number;
  readonly correlationId: string | undefined;
  readonly peer: string | undefined;
}

/**
 * One call in the hands of its handler: bounded by slots, a deadline and a size, answered once. The slots are held until the
 * handler really ends, also when its answer is no longer wanted: the bound is on work, not on waiting.
 */
export class Work implements CallContext {
  readonly correlationId: string | undefined;
  readonly peer: string | undefined;
  readonly #slots: readonly Slots[];
  #controller: AbortController | undefined;
  #reason: CountersignError | undefined;
  #timer: NodeJS.Timeout | undefined;
  #settle: ((outcome: Outcome) => void) | undefined;

  private constructor(options: WorkOptions, settle: (outcome: Outcome) => void) {
    this.correlationId = options.correlationId;
    this.peer = options.peer;
    this.#slots = options.slots;
    this.#settle = settle;
  }

  /** Made when a handler first asks for it: most never do, and it is dear on the hot path. */
  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#reason !== undefined) this.#controller.abort(this.#reason);
    }
    return this.#controller.signal;
  }

  /** Starts a call; `settle` hears of its outcome exactly once, unless it is dropped. */
  static start(
    binding: UnaryBinding,
    payload: Buffer | { readonly message: unknown },
    options: WorkOptions,
    settle: (outcome: Outcome) => void,
  ): Work | undefined {
    const taken: Slots[] = [];
    for (const slots of options.slots) {
      if (slots.take()) {
        taken.push(slots);
        continue;
      }
      for (const other of taken) other.release();
      settle({ error: new CountersignError('rpc.overloaded') });
      return undefined;
    }
    const work = new Work(options, settle);
    void work.#run(binding, payload, options);
    return work;
  }

  /** Ends it without an answer, and tells the handler. */
  drop(reason: CountersignError): void {
    this.#settle = undefined;
    this.#abort(reason);
  }

  /** Ends it with an error now, and tells the handler. */
  fail(reason: CountersignError): void {
    this.#answer({ error: reason });
    this.#abort(reason);
  }

  async #run(
    binding: UnaryBinding,
    payload: Buffer | { readonly message: unknown },
    options: WorkOptions,
  ): Promise<void> {
    try {
      const request = Buffer.isBuffer(payload) ? decode(binding, payload) : payload.message;
      const result = binding.handle(request, this);
      if (!isPromise(result)) {
        this.#finish(binding, result, options);
        return;
      }
      this.#timer = setTimeout(this.#late, options.deadlineMilliseconds);
      this.#finish(binding, await result, options);
    } catch (thrown) {
      this.#answer({ error: errorOfHandler(thrown, this.#controller?.signal) });
    } finally {
      clearTimeout(this.#timer);
      for (const slots of this.#slots) slots.release();
    }
  }

  #finish(binding: UnaryBinding, result: unknown, options: WorkOptions): void {
    if (this.#settle === undefined) return;
    const payload = binding.encode(result);
    if (payload.length > options.maxPayloadBytes) {
      this.#answer({
        error: new CountersignError('request.too_large', { detail: 'It is the answer that is too large.' }),
      });
      return;
    }
    this.#answer({ payload });
  }

  #answer(outcome: Outcome): void {
    const settle = this.#settle;
    this.#settle = undefined;
    settle?.(outcome);
  }

  #abort(reason: CountersignError): void {
    this.#reason = reason;
    this.#controller?.abort(reason);
  }

  readonly #late = (): void => this.fail(new CountersignError('rpc.deadline'));
}

function decode(binding: UnaryBinding, payload: Buffer): unknown {
  try {
    return binding.decode(payload);
  } catch (cause) {
    throw new CountersignError('request.invalid', { detail: 'The message cannot be decoded.', cause });
  }
}

const isPromise = (value: unknown): value is PromiseLike<unknown> =>
  typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function';
