import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { readCases } from '../fixtures/cases.store.js';
import { anyDraft, numbered } from '../fixtures/drafts.js';
import {
  beginChain,
  type ChainRecord,
  type EventDraft,
  eventHash,
  sealEvent,
  signHash,
  verifyChain,
  verifyHash,
} from './index.js';

interface KnownAnswers {
  readonly privateSeed: string;
  readonly source: string;
  readonly epoch: string;
  readonly records: readonly {
    readonly draft: EventDraft;
    readonly id: string;
    readonly time: string;
    readonly value: string;
    readonly hash: string;
    readonly signature: string | null;
  }[];
}

const known = readCases<KnownAnswers>('known-answers.json');
// RFC 8410, section 7: the seed behind a fixed prefix is an Ed25519 key in PKCS #8.
const knownKey = createPrivateKey({
  key: Buffer.from(`302e020100300506032b657004220420${known.privateSeed}`, 'hex'),
  format: 'der',
  type: 'pkcs8',
});
const knownRecords = known.records.map(
  ({ value, signature }): ChainRecord => ({
    value: Buffer.from(value),
    signature: signature === null ? null : Buffer.from(signature, 'base64'),
  }),
);

describe('sealing', () => {
  it('gives the known bytes, hashes and signatures', () => {
    let chain = beginChain(known.source, known.epoch);
    for (const { draft, id, time, value, hash, signature } of known.records) {
      const sealed = sealEvent(chain, draft, { id, time });
      expect(Buffer.from(sealed.event.value).toString()).toBe(value);
      expect(sealed.event.hash).toBe(hash);
      expect(eventHash(Buffer.from(value))).toBe(hash);
      if (signature !== null)
        expect(Buffer.from(signHash(hash, knownKey)).toString('base64')).toBe(signature);
      chain = sealed.chain;
    }
    expect(verifyChain(knownRecords)).toEqual({ fault: null, signed: known.records.length });
  });

  it.each([
    ['an id that is no UUID', { id: 'x' }],
    ['an empty reference', { correlationid: '' }],
    ['a reference that is too long', { causationid: 'x'.repeat(201) }],
  ])('refuses %s', (_, wrong) => {
    const draft = { ...numbered(1), ...wrong };
    const at = { id: known.epoch, time: '2026-01-01T00:00:00.000Z' };
    expect(() => sealEvent(beginChain(known.source, known.epoch), draft, at)).toThrow(
      expect.objectContaining({ code: 'recording.invalid' }),
    );
  });

  it('refuses an event that no log takes, and leaves the chain where it was', () => {
    const chain = beginChain(known.source, known.epoch);
    const draft: EventDraft = {
      type: 'countersign.policy.activated.v1',
      data: { policyDigest: 'x'.repeat(70_000), bundleDigest: '', previous: null },
    };
    const at = { id: known.epoch, time: '2026-01-01T00:00:00.000Z' };
    expect(() => sealEvent(chain, draft, at)).toThrow(expect.objectContaining({ code: 'request.too_large' }));
    expect(chain.next).toBe(0);
  });
});

/** An epoch of any drafts, in any batches. */
const epoch = fc
  .tuple(
    fc.array(anyDraft, { minLength: 2, maxLength: 14 }),
    fc.array(fc.boolean(), { minLength: 15, maxLength: 15 }),
  )
  .map(([drafts, ends]) => sealAll(drafts, ends, generateKeyPairSync('ed25519').privateKey));

function sealAll(drafts: readonly EventDraft[], ends: readonly boolean[], key: KeyObject): ChainRecord[] {
  const publicKey = createPublicKey(key).export({ type: 'spki', format: 'pem' }).toString();
  const opening: EventDraft = {
    type: 'countersign.epoch.opened.v1',
    data: { publicKey, certificate: '', proof: '', previous: null },
  };
  let chain = beginChain('/policy/one', '019a0000-0000-7000-8000-000000000001');
  return [opening, ...drafts].map((draft, index, all) => {
    const id = `019a0000-0000-7000-8000-0000000001${String(index).padStart(2, '0')}`;
    const sealed = sealEvent(chain, draft, { id, time: '2026-01-01T00:00:00.000Z' });
    chain = sealed.chain;
    const last = index === all.length - 1 || ends[index] === true;
    return { value: sealed.event.value, signature: last ? signHash(sealed.event.hash, key) : null };
  });
}

describe('verifyChain', () => {
  it('accepts every way to divide events into batches', () => {
    fc.assert(
      fc.property(epoch, (records) => {
        expect(verifyChain(records)).toEqual({ fault: null, signed: records.length });
      }),
    );
  });

  const tampered: [string, (records: readonly ChainRecord[], at: number, other: number) => ChainRecord[]][] =
    [
      [
        'an edited byte',
        (records, at, other) =>
          records.map((record, index) => {
            if (index !== at) return record;
            const value = Buffer.from(record.value);
            const place = other % value.length;
            value[place] = (value[place] ?? 0) ^ 1;
            return { ...record, value };
          }),
      ],
      ['a dropped event', (records, at) => records.toSpliced(at, 1)],
      ['a doubled event', (records, at) => records.toSpliced(at, 0, records[at] as ChainRecord)],
      [
        'two events in another order',
        (records, at) => {
          const next = (at + 1) % records.length;
          return records.with(at, records[next] as ChainRecord).with(next, records[at] as ChainRecord);
        },
      ],
      [
        'an event moved elsewhere',
        (records, at, other) => {
          const target = other % records.length === at ? (at + 1) % records.length : other % records.length;
          return records.toSpliced(at, 1).toSpliced(target, 0, records[at] as ChainRecord);
        },
      ],
      [
        'a signature of another event',
        (records, at) =>
          records.with(at, {
            value: (records[at] as ChainRecord).value,
            signature: (records[(at + 1) % records.length] as ChainRecord).signature ?? Buffer.alloc(64),
          }),
      ],
    ];

  it.each(tampered)('finds %s', (_, tamper) => {
    fc.assert(
      fc.property(epoch, fc.nat(), fc.nat(), (records, at, other) => {
        const index = at % records.length;
        const changed = tamper(records, index, other);
        const report = verifyChain(changed);
        // A whole batch missing at the very end is the one thing that a chain alone cannot show: checkpoints do.
        const isCut = changed.length < records.length && index === records.length - 1;
        expect(isCut || report.fault !== null || report.signed < changed.length).toBe(true);
      }),
    );
  });

  it('finds an edit behind which every hash was computed again', () => {
    fc.assert(
      fc.property(fc.array(anyDraft, { minLength: 3, maxLength: 10 }), fc.nat(), (drafts, at) => {
        const ends = drafts.map((_, index) => index % 2 === 0);
        const key = generateKeyPairSync('ed25519').privateKey;
        const honest = sealAll(drafts, ends, key);
        const changed = drafts.with(at % drafts.length, numbered(424_242));
        const forged = sealAll(changed, ends, key).map(({ value }, index) => ({
          value,
          signature: honest[index]?.signature ?? null,
        }));
        const report = verifyChain(forged);
        expect(report.fault?.fault).toBe('signature');
        // The first signature at or behind the edit fails; what was signed before it stands.
        expect(report.fault?.index).toBeGreaterThanOrEqual((at % drafts.length) + 1);
        expect(report.signed).toBeLessThanOrEqual((at % drafts.length) + 1);
      }),
    );
  });

  it('finds an epoch signed by another key than event 0 names', () => {
    const [opening, ...rest] = sealAll([numbered(1)], [true], knownKey);
    const other = generateKeyPairSync('ed25519').privateKey;
    const signature = signHash(eventHash(rest[0]?.value ?? Buffer.alloc(0)), other);
    const records = [opening as ChainRecord, { value: rest[0]?.value ?? Buffer.alloc(0), signature }];
    expect(verifyChain(records)).toEqual({ fault: { index: 1, fault: 'signature' }, signed: 1 });
  });

  it('finds an epoch that does not begin with its opening', () => {
    const sealed = sealEvent(beginChain(known.source, known.epoch), numbered(1), {
      id: known.epoch,
      time: '2026-01-01T00:00:00.000Z',
    });
    const report = verifyChain([{ value: sealed.event.value, signature: null }]);
    expect(report.fault).toEqual({ index: 0, fault: 'opening' });
  });

  it('tells how far signatures reach', () => {
    const unsigned = knownRecords.map((record, index) =>
      index === 3 ? { ...record, signature: null } : record,
    );
    expect(verifyChain(unsigned)).toEqual({ fault: null, signed: 3 });
    expect(verifyChain([])).toEqual({ fault: null, signed: 0 });
  });
});

describe('verifyHash', () => {
  const { hash } = known.records[0] as KnownAnswers['records'][number];
  const publicKey = createPublicKey(knownKey);

  it('refuses signatures of any other length or content', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), (signature) => {
        expect(verifyHash(hash, signature, publicKey)).toBe(false);
      }),
    );
  });
});
