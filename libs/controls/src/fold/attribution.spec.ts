import { describe, expect, it } from '@jest/globals';
import {
  edited,
  nextId,
  numbered,
  type ShortEvent,
  type TestProducer,
  World,
} from '../testing/world.fixture.js';
import { findingsAsOf } from './absence.js';
import { foldAll } from './fold.js';
import type { Leaf } from './leaf.js';
import { initialFold } from './state.js';

type Unplaced = Omit<Leaf, 'index'>;

const world = await World.begin();
const stranger = await World.begin();

const read: ShortEvent = { service: 'evidence', type: 'countersign.evidence.read.v1', data: {} };

function fold(records: readonly Unplaced[]) {
  const leaves = numbered(records);
  const { state, records: given } = foldAll(initialFold(world.authority), leaves);
  return {
    state,
    found: given
      .filter(({ kind }) => kind === 'finding')
      .map(({ index, data }) => `${index} ${data.finding}`),
    readings: given.filter(({ kind }) => kind === 'reading').map(({ index }) => index),
    absent: findingsAsOf(state, leaves.length).map(({ data }) => data.finding),
    given,
  };
}

const begin = (count: number): { producer: TestProducer; records: Unplaced[] } => {
  const producer = world.producer('evidence');
  return { producer, records: [producer.open(), ...Array.from({ length: count }, () => producer.say(read))] };
};
const at = (records: readonly Unplaced[], index: number): Unplaced => {
  const record = records[index];
  if (record === undefined) throw new RangeError('There is no such record.');
  return record;
};

describe('a whole chain', () => {
  it('gives its records and no finding', () => {
    const { found, readings, absent } = fold(begin(3).records);
    expect({ found, readings, absent }).toEqual({ found: [], readings: [1, 2, 3], absent: [] });
  });

  it('goes on in the next epoch', () => {
    const { producer, records } = begin(1);
    const { found, readings } = fold([...records, producer.open(), producer.say(read)]);
    expect({ found, readings }).toEqual({ found: [], readings: [1, 3] });
  });

  it('has a tail until a signature covers it', () => {
    const { records } = begin(3);
    const unsigned = [at(records, 0), ...records.slice(1).map((record) => ({ ...record, signature: null }))];
    expect(fold(unsigned).absent).toEqual(['unsigned-tail']);
    expect(fold([...unsigned.slice(0, 3), at(records, 3)]).absent).toEqual([]);
  });
});

describe('a changed chain', () => {
  it('shows a missing event, and later that it came late', () => {
    const { records } = begin(4);
    const kept = [0, 1, 3, 4].map((index) => at(records, index));
    const without = fold(kept);
    expect(without.found).toEqual(['2 gap']);
    expect(without.absent).toEqual(['gap']);
    const later = fold([...kept, at(records, 2)]);
    expect(later.found).toEqual(['2 gap', '4 late']);
    expect(later.absent).toEqual([]);
  });

  it('shows what is missing of the epoch before', () => {
    const { producer, records } = begin(2);
    expect(fold([at(records, 0), at(records, 1), producer.open()]).found).toEqual(['2 gap']);
  });

  it('shows an event that another took the place of, and goes on with the first', () => {
    const { producer, records } = begin(2);
    const other = edited(at(records, 2), () => ({ id: nextId() }));
    expect(fold([...records, other, producer.say(read)]).found).toEqual(['3 fork']);
  });

  it('shows a forged event before the real one, and goes on with the real one', () => {
    const { records } = begin(3);
    const forged = edited(at(records, 2), () => ({ id: nextId(), prevhash: 'f'.repeat(64) }));
    const { found, readings } = fold([
      at(records, 0),
      at(records, 1),
      forged,
      at(records, 2),
      at(records, 3),
    ]);
    expect({ found, readings }).toEqual({ found: ['2 broken-chain'], readings: [1, 3, 4] });
  });

  it('shows an edited event by what follows it', () => {
    const { records } = begin(3);
    const changed = edited(at(records, 2), ({ data }) => ({ data: { ...data, status: 403 } }));
    expect(fold([at(records, 0), at(records, 1), changed, at(records, 3)]).found).toEqual([
      '2 signature',
      '3 broken-chain',
    ]);
  });

  it('shows an id that was used before', () => {
    const { producer, records } = begin(1);
    const leaves = numbered([...records, producer.say(read)]).map((leaf) =>
      leaf.index === 2 ? { ...leaf, repeats: 1 } : leaf,
    );
    const { records: given } = foldAll(initialFold(world.authority), leaves);
    expect(given.at(-1)).toMatchObject({ id: 'finding-2-repeated-id', data: { first: 1 } });
  });

  it('shows a new epoch that disowns what came before it', () => {
    const { producer, records } = begin(2);
    const opening = producer.open();
    const disowning = edited(opening, ({ data }) => ({
      data: { ...data, previous: { ...(data as { previous: object }).previous, seq: '1' } },
    }));
    expect(fold([...records, disowning]).found).toEqual(['3 fork', '3 signature']);
    const forgetting = edited(opening, ({ data }) => ({ data: { ...data, previous: null } }));
    expect(fold([...records, forgetting]).found).toEqual(['3 discontinuity', '3 signature']);
  });

  it('shows events of an earlier epoch that come after the next', () => {
    const { producer, records } = begin(2);
    const [first, second, third] = [at(records, 0), at(records, 1), at(records, 2)];
    expect(fold([first, second, producer.open(), third, producer.say(read)]).found).toEqual([
      '2 gap',
      '3 late',
    ]);
  });
});

describe('a stranger', () => {
  it('opens no epoch with a certificate of another authority', () => {
    const producer = stranger.producer('evidence');
    const { found, readings } = fold([producer.open(), producer.say(read), producer.say(read)]);
    expect(found).toEqual(['0 untrusted-epoch', '1 unattributed', '2 unattributed']);
    expect(readings).toEqual([]);
  });

  it('takes no place in the chain of another', () => {
    const { producer, records } = begin(1);
    const intruder = stranger.producer('evidence');
    const { found, readings } = fold([...records, intruder.open(), intruder.say(read), producer.say(read)]);
    expect({ found, readings }).toEqual({ found: ['2 untrusted-epoch', '3 unattributed'], readings: [1, 4] });
  });

  it('speaks under no other key, and on no other topic', () => {
    const { producer, records } = begin(0);
    const misplaced = { ...producer.say(read), topic: 'countersign.policy.v1' };
    expect(fold([...records, misplaced]).found).toEqual(['1 misplaced']);
    const renamed = { ...at(records, 0), key: '/evidence/two' };
    expect(fold([renamed]).found).toEqual(['0 misplaced']);
  });

  it('signs with no other key', () => {
    const { records } = begin(1);
    const signature = new Uint8Array(64);
    const { found, absent } = fold([at(records, 0), { ...at(records, 1), signature }]);
    expect({ found, absent }).toEqual({ found: ['1 signature'], absent: ['unsigned-tail'] });
  });
});

describe('what is no event', () => {
  it.each([
    ['nothing', ''],
    ['not JSON', 'hello'],
    ['another JSON', '[]'],
    ['null', 'null'],
    ['an envelope without its members', '{"specversion":"1.0"}'],
  ])('is a finding: %s', (_, text) => {
    const { producer, records } = begin(1);
    const { topic, key } = at(records, 0);
    const odd = { topic, key, value: Buffer.from(text), signature: null };
    const { found, readings, given } = fold([...records, odd, producer.say(read)]);
    expect({ found, readings }).toEqual({ found: ['2 malformed'], readings: [1, 3] });
    // It tells no time, and has the time of what came before it.
    expect(given.find(({ index }) => index === 2)?.time).toBe(given.find(({ index }) => index === 1)?.time);
  });

  it('is a finding: a type that nobody knows', () => {
    const { records } = begin(1);
    const unknown = edited(at(records, 1), () => ({ type: 'countersign.unheard.of.v1' }));
    expect(fold([at(records, 0), unknown]).found).toEqual(['1 malformed']);
  });
});

describe('what is another service’s to say', () => {
  it('is found and gives no record, and the chain goes on', () => {
    const gateway = world.producer('ingress-proxy');
    const approved = { service: 'ingress-proxy', type: 'countersign.approval.requested.v1', data: {} };
    const opened = { service: 'ingress-proxy', type: 'countersign.session.opened.v1', data: {} };
    const { found, given } = fold([gateway.open(), gateway.say(approved), gateway.say(opened)]);
    expect(found).toEqual(['1 misplaced']);
    expect(given.filter(({ kind }) => kind === 'session').map(({ index }) => index)).toEqual([2]);
    expect(given.filter(({ kind }) => kind === 'approval')).toEqual([]);
  });
});
