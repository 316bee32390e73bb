// The table of cases: each a base input with some fields set, and the decision it must get.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { policies } from './opa.mjs';

const read = (...path) => JSON.parse(readFileSync(join(policies, ...path), 'utf8'));

/** All cases with their whole input. */
export function readCases() {
  const bases = read('bases.json');
  return readdirSync(join(policies, 'cases'))
    .sort()
    .flatMap((file) => read('cases', file))
    .map(({ name, base, set = {}, expect }) => ({ name, input: patched(bases[base], set), expect }));
}

/** A copy of an input with fields set by dotted path. */
function patched(base, changes) {
  const input = structuredClone(base);
  for (const [path, value] of Object.entries(changes)) {
    const keys = path.split('.');
    const last = keys.pop();
    const place = keys.reduce((object, key) => object[key], input);
    place[last] = value;
  }
  return input;
}

/** Whether a decision is the expected one. A profile stands for the obligations that hold it. */
export function isExpected(expect, decision) {
  const { verdict, rules, profile = null, obligations, reason } = expect;
  const same = (one, other) => JSON.stringify(one) === JSON.stringify(other);
  const ordered = (object) => object && Object.fromEntries(Object.entries(object).sort());
  return (
    decision?.verdict === verdict &&
    same(decision.rules, rules) &&
    (obligations
      ? same(ordered(decision.obligations), ordered(obligations))
      : (decision.obligations?.profile ?? null) === profile) &&
    (reason === undefined || decision.reason === reason)
  );
}
