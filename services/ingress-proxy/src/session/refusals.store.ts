import type { AnyDraft, RecorderPort } from '../gate/index.js';
import { type CountedRefusal, type Refusal, RefusalWindow } from './refusals.js';

const WINDOW_MILLISECONDS = 10_000;

/** Publishes refused connections and tokens, and under a flood their counts. */
export class Refusals {
  readonly #recorder: RecorderPort;
  readonly #window = new RefusalWindow();
  readonly #timer: NodeJS.Timeout;

  constructor(recorder: RecorderPort) {
    this.#recorder = recorder;
    this.#timer = setInterval(() => this.#flush(), WINDOW_MILLISECONDS);
    this.#timer.unref();
  }

  add(refusal: Refusal): void {
    const single = this.#window.add(refusal);
    if (single !== null) this.#publish([single]);
  }

  close(): void {
    clearInterval(this.#timer);
    this.#flush();
  }

  #flush(): void {
    this.#publish(this.#window.close());
  }

  #publish(refusals: readonly CountedRefusal[]): void {
    if (refusals.length === 0) return;
    const drafts = refusals.map(
      ({ target, agent, code, count }): AnyDraft => ({
        type: 'countersign.session.refused.v1',
        data: { target, agent, code, count },
      }),
    );
    this.#recorder.appendLazily(drafts).catch(() => undefined);
  }
}
