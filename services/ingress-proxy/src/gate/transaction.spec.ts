import { type Facts, opaqueFacts } from '@countersign/contracts';
import { describe, expect, it } from '@jest/globals';
import type { RunReport } from './action.js';
import {
  afterRefusal,
  afterRun,
  blockedByRefusal,
  type EndedTransaction,
  type OpenTransaction,
} from './transaction.js';

const factsOf = (part: Partial<Facts>): Facts => ({ ...opaqueFacts('unparsable'), risks: [], ...part });
const facts = {
  begin: factsOf({ transaction: 'begin', risks: ['transaction'] }),
  read: factsOf({ verbs: ['read'] }),
  write: factsOf({ verbs: ['insert'] }),
  lock: factsOf({ verbs: ['read'], risks: ['lock'] }),
  structure: factsOf({ verbs: ['ddl'], risks: ['ddl'] }),
  commit: factsOf({ transaction: 'commit', risks: ['transaction'] }),
  rollback: factsOf({ transaction: 'rollback', risks: ['transaction'] }),
  rollbackTo: factsOf({ transaction: 'rollback-to', risks: ['transaction'] }),
} as const;
type Word = keyof typeof facts;

const well = (transaction: RunReport['transaction'], ended: RunReport['ended'] = null): RunReport => ({
  status: 'succeeded',
  error: null,
  sqlstate: null,
  rows: 0,
  transaction,
  ended,
});
const failed = (transaction: RunReport['transaction']): RunReport => ({
  ...well(transaction),
  status: 'failed',
  error: 'target.failed',
});
const lost: RunReport = { ...well('lost'), status: 'unknown', error: 'target.connection_lost' };

type Step = readonly [Word, RunReport] | 'refused';

/** Plays steps from outside any transaction. */
function play(steps: readonly Step[]): {
  readonly open: OpenTransaction | null;
  readonly ended: readonly EndedTransaction[];
  readonly places: readonly (number | null)[];
  readonly structure: number;
} {
  let open: OpenTransaction | null = null;
  const ended: EndedTransaction[] = [];
  const places: (number | null)[] = [];
  let structure = 0;
  for (const [index, step] of steps.entries()) {
    if (step === 'refused') {
      open = afterRefusal(open);
      continue;
    }
    const after = afterRun(open, facts[step[0]], step[1], `t${index}`);
    open = after.open;
    if (after.ended !== null) ended.push(after.ended);
    if (after.structureChanged) structure += 1;
    places.push(after.place?.ordinal ?? null);
  }
  return { open, ended, places, structure };
}

describe('the gate keeps count of transactions', () => {
  it.each<readonly [string, readonly Step[], EndedTransaction['result'][], readonly (number | null)[]]>([
    [
      'none',
      [
        ['read', well('idle')],
        ['write', well('idle')],
      ],
      [],
      [null, null],
    ],
    [
      'committed',
      [
        ['begin', well('open')],
        ['write', well('open')],
        ['commit', well('idle', 'committed')],
      ],
      ['committed'],
      [0, 1, 2],
    ],
    [
      'rolled back',
      [
        ['begin', well('open')],
        ['rollback', well('idle', 'rolled-back')],
      ],
      ['rolled-back'],
      [0, 1],
    ],
    [
      'failed',
      [
        ['begin', well('open')],
        ['read', failed('failed')],
        ['commit', well('idle', 'rolled-back')],
      ],
      ['rolled-back'],
      [0, 1, 2],
    ],
    [
      'a commit that fails',
      [
        ['begin', well('open')],
        ['commit', failed('idle')],
      ],
      ['rolled-back'],
      [0, 1],
    ],
    [
      'a commit that is lost',
      [
        ['begin', well('open')],
        ['commit', lost],
      ],
      ['unknown'],
      [0, 1],
    ],
    [
      'a write that is lost',
      [
        ['begin', well('open')],
        ['write', lost],
      ],
      ['rolled-back'],
      [0, 1],
    ],
    [
      'a chain',
      [
        ['begin', well('open')],
        ['commit', well('open', 'committed')],
        ['rollback', well('idle', 'rolled-back')],
      ],
      ['committed', 'rolled-back'],
      [0, 1, 0],
    ],
    [
      'a savepoint',
      [
        ['begin', well('open')],
        ['rollbackTo', well('open', 'rolled-back')],
      ],
      [],
      [0, 1],
    ],
  ])('%s', (_name, steps, results, places) => {
    const result = play(steps);
    expect(result.ended.map((end) => end.result)).toEqual(results);
    expect(result.places).toEqual(places);
  });

  it.each<readonly [Word, boolean]>([
    ['read', false],
    ['write', true],
    ['lock', true],
    ['structure', true],
  ])('a %s makes it dirty: %s', (word, dirty) => {
    expect(
      play([
        ['begin', well('open')],
        [word, well('open')],
      ]).open?.dirty,
    ).toBe(dirty);
  });

  it('counts refused actions and lets only a rollback follow them', () => {
    const { open } = play([['begin', well('open')], 'refused']);
    expect(open).toMatchObject({ actions: 2, refused: true });
    const blocked = Object.entries(facts).filter(([, held]) => blockedByRefusal(open, held));
    expect(blocked.map(([word]) => word)).toEqual(['begin', 'read', 'write', 'lock', 'structure', 'commit']);
    const healed = play([['begin', well('open')], 'refused', ['rollbackTo', well('open', 'rolled-back')]]);
    expect(healed.open?.refused).toBe(false);
  });

  it('has the catalogue read again once a change of structure may be there for everybody', () => {
    const begin: Step = ['begin', well('open')];
    const change: Step = ['structure', well('open')];
    expect(play([['structure', well('idle')]]).structure).toBe(1);
    expect(play([begin, change]).structure).toBe(0);
    expect(play([begin, change, ['commit', well('idle', 'committed')]]).structure).toBe(1);
    expect(play([begin, change, ['rollback', well('idle', 'rolled-back')]]).structure).toBe(0);
    expect(play([begin, change, ['commit', lost]]).structure).toBe(1);
  });
});
