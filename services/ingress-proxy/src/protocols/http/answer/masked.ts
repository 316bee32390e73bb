import type { ReleasePlan } from '@countersign/contracts';
import { CountersignError } from '@countersign/errors';
import { LRUCache } from 'lru-cache';
import type { Release } from '../../../gate/index.js';
import { type FoundField, findFields } from './json-fields.js';
import { countAt, type PointerNode, pointerTree } from './pointers.js';
import { releasedText, standIn } from './strategies.js';

/** A plan of masking, ready to be followed. */
export interface Plan extends ReleasePlan {
  readonly tree: PointerNode;
}

const plans = new LRUCache<string, Plan>({ max: 1000 });

/** Reads the text that masking gave; it is the gateway's own, so it is not checked again. */
export function readPlan(text: string): Plan {
  const known = plans.get(text);
  if (known !== undefined) return known;
  const read = JSON.parse(text) as ReleasePlan;
  const plan = { ...read, tree: pointerTree(read.fields.map(({ pointer }) => pointer)) };
  plans.set(text, plan);
  return plan;
}

/** Whether an answer has to be read as a whole before any of it is released. */
export function isReadWhole(plan: Plan, release: Release): boolean {
  return plan.fields.length > 0 || (plan.rows !== null && release.rowLimit !== null);
}

export interface MaskedAnswer {
  readonly body: Buffer;
  readonly rows: number;
}

/**
 * An answer with its labelled fields replaced.
 * @throws http.unmaskable for what is no JSON, release.row_limit, masking.unavailable
 */
export async function maskedAnswer(body: Uint8Array, plan: Plan, release: Release): Promise<MaskedAnswer> {
  const text = decoded(body);
  const document = parsed(text);
  const rows = (plan.rows === null ? null : countAt(document, plan.rows)) ?? 1;
  if (release.rowLimit !== null && rows > release.rowLimit) throw new CountersignError('release.row_limit');
  if (plan.fields.length === 0) return { body: Buffer.from(body), rows };
  const found = fieldsIn(text, plan);
  const replacements = await replacementsOf(text, found, plan, release);
  const parts: string[] = [];
  let at = 0;
  for (const [index, { from, to }] of found.entries()) {
    parts.push(text.slice(at, from), replacements[index] ?? 'null');
    at = to;
  }
  parts.push(text.slice(at));
  return { body: Buffer.from(parts.join('')), rows };
}

async function replacementsOf(
  text: string,
  found: readonly FoundField[],
  plan: Plan,
  release: Release,
): Promise<readonly string[]> {
  const asked: { readonly at: number; readonly column: number; readonly value: Uint8Array }[] = [];
  const replacements = found.map(({ field, from, to }, at) => {
    const strategy = plan.fields[field];
    if (strategy === undefined) throw new CountersignError('internal');
    const raw = text.slice(from, to);
    const value: unknown = JSON.parse(raw);
    if (strategy.strategy !== 'release') return standIn(strategy, value);
    const released = releasedText(raw, value);
    if (released !== null) asked.push({ at, column: field, value: Buffer.from(released) });
    return 'null';
  });
  if (asked.length === 0) return replacements;
  const values = await release.replace(asked);
  for (const [index, { at }] of asked.entries()) {
    const value = values[index];
    if (value === undefined) throw new CountersignError('masking.unavailable');
    replacements[at] = JSON.stringify(Buffer.from(value).toString('utf8'));
  }
  return replacements;
}

function fieldsIn(text: string, plan: Plan): readonly FoundField[] {
  try {
    return findFields(text, plan.tree);
  } catch (cause) {
    throw new CountersignError('http.unmaskable', { cause });
  }
}

function decoded(body: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(body);
  } catch (cause) {
    throw new CountersignError('http.unmaskable', { cause });
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Not the parser's own error, which quotes the text.
    throw new CountersignError('http.unmaskable');
  }
}
