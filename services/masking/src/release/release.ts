import { CountersignError } from '@countersign/errors';
import { replaceDetected } from '../detectors/index.js';
import { type Labels, strategyOf } from '../labels/index.js';
import { labelKey, surrogateOf } from '../strategies/index.js';

/** Most cells of one request. */
export const MOST_CELLS = 10_000;

export interface Cell {
  readonly label: string;
  /** In PostgreSQL's text format. */
  readonly value: Uint8Array;
}

const REDACTED = Buffer.from('***');

/** Replaces values at release. Holds the value key, which leaves it in no form. */
export class Releaser {
  readonly #valueKey: Uint8Array;
  readonly #labelKeys = new Map<string, Buffer>();

  constructor(valueKey: Uint8Array) {
    this.#valueKey = valueKey;
  }

  /**
   * The stand-ins of values under a profile, in order.
   * @throws masking.profile_unknown, request.invalid, request.too_large
   */
  release(target: string, labels: Labels, profile: string, cells: readonly Cell[]): Buffer[] {
    if (cells.length > MOST_CELLS) throw new CountersignError('request.too_large');
    if (!Object.hasOwn(labels.profiles, profile)) throw new CountersignError('masking.profile_unknown');
    return cells.map(({ label, value }) => {
      if (!Object.hasOwn(labels.vocabulary, label))
        throw new CountersignError('request.invalid', {
          detail: 'A cell has a label that the vocabulary lacks.',
        });
      const strategy = strategyOf(labels, profile, label);
      if (strategy.strategy === 'surrogate')
        return Buffer.from(surrogateOf(this.#keyOf(target, label), value));
      if (strategy.strategy === 'detect')
        return Buffer.from(replaceDetected(Buffer.from(value).toString('utf8'), strategy.detectors));
      // Rewrites release nothing under another strategy; what comes all the same is not shown.
      return REDACTED;
    });
  }

  #keyOf(target: string, label: string): Buffer {
    const name = JSON.stringify([target, label]);
    const key = this.#labelKeys.get(name) ?? labelKey(this.#valueKey, target, label);
    this.#labelKeys.set(name, key);
    return key;
  }
}
