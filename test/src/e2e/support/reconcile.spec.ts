import { readFileSync } from 'node:fs';
import { expect, it } from '@jest/globals';
import fc from 'fast-check';
import { type RunningDecision, reconcile } from './reconcile.js';
import type { LoggedStatement } from './statement-log.js';

/** `<session> <text>` for the log, `<session> <action> <text> <outcome>` for decisions; session `system` is the gateway's. */
interface Case {
  readonly name: string;
  readonly log: readonly string[];
  readonly decided: readonly string[];
  readonly matched: number;
  readonly unrecorded?: readonly string[];
  readonly unseen?: readonly string[];
  readonly open?: readonly string[];
}

const cases = JSON.parse(
  readFileSync(new URL('../../../cases/reconcile.json', import.meta.url), 'utf8'),
) as readonly Case[];

const logged = (line: string): LoggedStatement => {
  const [, session = '', text = ''] = /^(\S+) (.*)$/.exec(line) ?? [];
  return { session, text };
};

/** The text stands for the commitment to it. */
const decided = (line: string): RunningDecision => {
  const [, session = '', action = '', running = '', status = ''] =
    /^(\S+) (\S+) (.*) (\S+)$/.exec(line) ?? [];
  return {
    session,
    action,
    running,
    system: session === 'system',
    status: status === 'none' ? null : (status as NonNullable<RunningDecision['status']>),
  };
};

const commits = ({ running }: RunningDecision, text: string): boolean => running === text;

it.each(cases)('$name', ({ log, decided: decisions, matched, unrecorded = [], unseen = [], open = [] }) => {
  const result = reconcile(log.map(logged), decisions.map(decided), commits);
  expect({
    matched: result.matched,
    unrecorded: result.unrecorded.map(({ session, text }) => `${session} ${text}`),
    unseen: result.unseen.map(({ action }) => action),
    open: result.open.map(({ decision, seen }) => `${decision.action} ${seen ? 'seen' : 'unseen'}`),
  }).toEqual({ matched, unrecorded, unseen, open });
});

it('accounts for every statement, whatever came in which order', () => {
  const text = fc.constantFrom('BEGIN', 'SELECT 1', 'SELECT 2');
  const session = fc.constantFrom('s1', 's2', 'system');
  const status = fc.constantFrom('succeeded', 'failed', 'refused', 'unknown', null);
  const statement = fc.record({ session, text });
  const decision = fc
    .record({ session, running: text, status })
    .map((one) => ({ ...one, system: one.session === 'system' }));
  fc.assert(
    fc.property(fc.array(statement), fc.array(decision), (statements, made) => {
      const decisions = made.map((one, index) => ({ ...one, action: `a${index}` }));
      const result = reconcile(statements, decisions, commits);
      expect(result.matched + result.unrecorded.length).toBe(statements.length);
      // One to one: of each text in each session, as many are covered as both sides have.
      const key = (of: string, what: string): string => `${of} ${what}`;
      const left = Map.groupBy(statements, (one) => key(one.session, one.text));
      const right = Map.groupBy(decisions, (one) => key(one.session, one.running));
      const both = [...left].reduce(
        (sum, [name, ones]) => sum + Math.min(ones.length, right.get(name)?.length ?? 0),
        0,
      );
      expect(result.matched).toBe(both);
      const sure = decisions.filter((one) => one.status === 'succeeded' || one.status === 'failed').length;
      expect(result.unseen.length).toBeGreaterThanOrEqual(sure - result.matched);
    }),
  );
});
