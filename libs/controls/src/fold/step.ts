import type { EventEnvelope, Mode, Origin, Verdict } from '@countersign/contracts';
import type { JsonValue, RecordContent, RecordKind } from '../record/index.js';
import { type Finding, findings } from './findings.js';
import type { Draft } from './state.js';

/** The fold of one leaf: the draft that it changes and the records that it gives. */
export interface Step {
  readonly draft: Draft;
  readonly index: number;
  /** Time of the event; of the last sound one where the leaf tells none. */
  readonly time: string;
  /** Null for a leaf that is no event. */
  readonly envelope: EventEnvelope | null;
  readonly records: RecordContent[];
}

export interface Who {
  readonly agent?: string | null;
  readonly onBehalfOf?: string | null;
  readonly target?: string | null;
  readonly verdict?: Verdict | null;
}

/** Adds the record of the event at hand. `earlier` are the other leaves it rests on. */
export function record(
  step: Step,
  kind: Exclude<RecordKind, 'finding'>,
  who: Who,
  summary: string,
  data: { readonly [name: string]: JsonValue },
  earlier: readonly (number | null | undefined)[] = [],
): void {
  step.records.push({
    id: `${kind}-${step.index}`,
    kind,
    index: step.index,
    indexes: ascending([...earlier, step.index]),
    time: step.time,
    mode: modeOf(step),
    origin: originOf(step),
    ...present(who),
    summary,
    data,
  });
}

/** Adds a finding about the event at hand; `subject` is the earlier leaf it concerns, if it concerns one. */
export function find(
  step: Step,
  finding: Finding,
  who: Who,
  data: { readonly [name: string]: JsonValue } = {},
  subject?: number | null,
): void {
  const about = subject ?? null;
  step.records.push({
    id: `finding-${step.index}-${finding}${about === null ? '' : `-${about}`}`,
    kind: 'finding',
    index: step.index,
    indexes: ascending([about, step.index]),
    time: step.time,
    mode: modeOf(step),
    origin: originOf(step),
    ...present(who),
    summary: findings[finding],
    data: { ...data, finding, source: step.envelope?.source ?? null },
  });
}

/** The fields that are known: absent ones are left out of a record rather than null. */
export function present(who: Who): {
  agent?: string;
  onBehalfOf?: string;
  target?: string;
  verdict?: Verdict;
} {
  return {
    ...(who.agent == null ? {} : { agent: who.agent }),
    ...(who.onBehalfOf == null ? {} : { onBehalfOf: who.onBehalfOf }),
    ...(who.target == null ? {} : { target: who.target }),
    ...(who.verdict == null ? {} : { verdict: who.verdict }),
  };
}

export function ascending(indexes: readonly (number | null | undefined)[]): number[] {
  const known = indexes.filter((index): index is number => index !== null && index !== undefined);
  return [...new Set(known)].sort((left, right) => left - right);
}

function modeOf(step: Step): Mode {
  return step.envelope?.mode ?? 'enforce';
}

function originOf(step: Step): Origin {
  return step.envelope?.origin ?? 'system';
}
