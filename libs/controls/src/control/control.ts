import type { ControlReference, RecordContent, Relation } from '../record/index.js';
import { type Condition, meets } from './condition.js';

export const editions = ['iso27001:2013', 'iso27001:2022'] as const;
export type Edition = (typeof editions)[number];

/** One way in which records are evidence of a control. */
export interface EvidenceRule {
  readonly relation: Relation;
  /** What a matching record says about the control, in our own words. */
  readonly because: string;
  readonly when: Condition;
}

/** An event in short, as the examples of a control give it; the spec seals it into a real chain. */
export interface ExampleEvent {
  readonly type: string;
  readonly service: string;
  readonly origin?: string;
  readonly mode?: string;
  readonly data: { readonly [name: string]: unknown };
}

/** A sequence of events; the record of the last one is the one in question. */
export interface Example {
  readonly says: string;
  readonly events: readonly ExampleEvent[];
}

/** A numbered control of one edition of ISO/IEC 27001, Annex A, and how events become evidence of it. */
export interface Control {
  /** Edition and number: `iso27001:2022/8.15`. */
  readonly id: string;
  readonly edition: Edition;
  readonly number: string;
  /** In our own words: the standard's text is not reproduced. */
  readonly title: string;
  /** Controls of the other edition that cover the same ground. */
  readonly counterparts: readonly string[];
  /** Where the editions do not simply correspond. */
  readonly counterpartNote?: string;
  /** What these records show. */
  readonly shows: string;
  /** What no record here can show, and where an auditor has to look instead. */
  readonly doesNotShow: string;
  readonly evidence: readonly EvidenceRule[];
  readonly good: Example;
  readonly nearMiss: Example;
}

/**
 * The controls that a record is evidence of, sorted by id. A dry run enforces nothing, so it is evidence of nothing.
 */
export function mapRecord(controls: readonly Control[], record: RecordContent): ControlReference[] {
  if (record.mode === 'dryrun') return [];
  const references: ControlReference[] = [];
  for (const { id, evidence } of controls) {
    const relations = evidence.filter(({ when }) => meets(record, when)).map(({ relation }) => relation);
    if (relations.length > 0)
      references.push({ id, relation: relations.includes('shows') ? 'shows' : 'supports' });
  }
  return references.sort((left, right) => (left.id < right.id ? -1 : 1));
}
