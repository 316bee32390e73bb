import type { Release } from './action.js';
import { ReleasedCommitment } from './commitments.js';
import type { MaskingPort, Rewritten } from './ports.js';

/** Counts, commits to and replaces what is released of one action. */
export class ActionRelease implements Release {
  readonly columns: readonly number[];
  readonly masked: boolean;
  readonly rowLimit: number | null;
  readonly #labels: ReadonlyMap<number, string>;
  readonly #masking: MaskingPort;
  readonly #target: string;
  readonly #profile: string;
  readonly #commitment: () => ReleasedCommitment;
  #open: ReleasedCommitment | null = null;
  #rows = 0;
  #bytes = 0;

  constructor(options: {
    readonly masking: MaskingPort;
    readonly rewritten: Rewritten;
    readonly target: string;
    readonly profile: string;
    readonly rowLimit: number | null;
    readonly secret: Uint8Array;
    readonly action: string;
  }) {
    const { rewritten } = options;
    this.columns = rewritten.releasedColumns.map((column) => column.index);
    this.masked = rewritten.masked;
    this.rowLimit = options.rowLimit;
    this.#labels = new Map(rewritten.releasedColumns.map((column) => [column.index, column.label]));
    this.#masking = options.masking;
    this.#target = options.target;
    this.#profile = options.profile;
    this.#commitment = () => new ReleasedCommitment(options.secret, options.action);
  }

  async replace(
    cells: readonly { readonly column: number; readonly value: Uint8Array }[],
  ): Promise<readonly Uint8Array[]> {
    const labelled = cells.map((cell) => {
      const label = this.#labels.get(cell.column);
      if (label === undefined) throw new RangeError('This column is released as it is.');
      return { label, value: cell.value };
    });
    return this.#masking.release(this.#target, this.#profile, labelled);
  }

  commit(bytes: Uint8Array, rows: number, valueBytes: number): void {
    this.#open ??= this.#commitment();
    this.#open.add(bytes);
    this.#rows += rows;
    this.#bytes += valueBytes;
  }

  get released(): { readonly rows: number; readonly bytes: number; readonly digest: string | null } {
    return { rows: this.#rows, bytes: this.#bytes, digest: this.#open?.digest() ?? null };
  }
}
