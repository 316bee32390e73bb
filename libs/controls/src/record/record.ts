import { canonicalJson, type Mode, type Origin, type Verdict } from '@countersign/contracts';

export const recordKinds = [
  'decision',
  'outcome',
  'transaction',
  'approval',
  'grant',
  'session',
  'credential',
  'policy',
  'epoch',
  'recording',
  'reading',
  'finding',
] as const;
export type RecordKind = (typeof recordKinds)[number];

/** `shows`: the control at work. `supports`: something that the control rests on. */
export type Relation = 'shows' | 'supports';

export interface ControlReference {
  /** With its edition: `iso27001:2022/8.15`. */
  readonly id: string;
  readonly relation: Relation;
}

export type JsonValue =
  | string
  | number
  | boolean
  | null
  | readonly JsonValue[]
  | { readonly [name: string]: JsonValue };

/** What the fold derived from one leaf or several, before it is mapped to controls. */
export interface RecordContent {
  /** Deterministic: kind and leaf index, so that every recomputation names the same record alike. */
  readonly id: string;
  readonly kind: RecordKind;
  /** The leaf that gave rise to the record; a finding of absence has the leaf that lacks something. */
  readonly index: number;
  /** Every leaf that the record rests on, ascending, `index` included. */
  readonly indexes: readonly number[];
  /** `time` of the event at `index`. */
  readonly time: string;
  readonly mode: Mode;
  readonly origin: Origin;
  readonly agent?: string;
  readonly onBehalfOf?: string;
  readonly target?: string;
  readonly verdict?: Verdict;
  /** One sentence for people, made of ids and names of the vocabulary alone. */
  readonly summary: string;
  /** By kind; findings have `finding`, their name. */
  readonly data: { readonly [name: string]: JsonValue };
}

/** An evidence record: content and the controls that it is evidence of. */
export interface EvidenceRecord extends RecordContent {
  /** Sorted by control id. */
  readonly controls: readonly ControlReference[];
}

/** The exact text of a record, in stores and dossiers: RFC 8785 canonical JSON. */
export function recordText(record: EvidenceRecord): string {
  return canonicalJson(record);
}
