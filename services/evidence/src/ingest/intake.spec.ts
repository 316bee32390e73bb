import type { StoredRecord } from '@countersign/event-log';
import { MAXIMUM_ENTRY_LENGTH } from '@countersign/transparency';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { takeIn } from './intake.js';

const record = (value: Uint8Array, changes: Partial<StoredRecord> = {}): StoredRecord => ({
  topic: 'countersign.ingress.v1',
  partition: 0,
  position: '1',
  key: '/ingress-proxy/one',
  value,
  signature: null,
  ...changes,
});

describe('what is taken in', () => {
  it('is what a leaf and a dossier can carry, whatever it was', () => {
    const anything = fc.record({
      value: fc.oneof(
        fc.uint8Array({ maxLength: 300 }),
        fc.json().map((json) => new TextEncoder().encode(json)),
        fc.integer({ min: 65_530, max: 65_540 }).map((length) => new Uint8Array(length).fill(0x61)),
      ),
      key: fc.oneof(fc.string(), fc.string({ unit: 'binary', maxLength: 800 })),
      signature: fc.option(fc.uint8Array({ maxLength: 80 })),
    });
    fc.assert(
      fc.property(anything, ({ value, ...changes }) => {
        const { eventId, key, value: leaf, signature, hash } = takeIn(record(value, changes));
        expect(leaf.length).toBeLessThanOrEqual(MAXIMUM_ENTRY_LENGTH);
        const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(leaf);
        // A dossier carries it as text, and gives the same bytes back.
        expect(Buffer.from(text)).toEqual(Buffer.from(leaf));
        expect(key).toMatch(/^.{1,512}$/);
        expect(eventId).toMatch(/^.{1,512}$/);
        expect(hash).toHaveLength(32);
        if (signature !== null) expect(signature).toHaveLength(64);
      }),
    );
  });

  it('is stood for by its length and digest where no leaf can carry it', () => {
    const large = takeIn(record(new Uint8Array(65_536).fill(0x61)));
    expect(JSON.parse(Buffer.from(large.value).toString())).toEqual({
      countersign: 'unreadable',
      reason: 'too-large',
      length: 65_536,
      digest: expect.stringMatching(/^sha256:[0-9a-f]{64}$/),
    });
    const odd = takeIn(record(Uint8Array.of(0xff)));
    expect(JSON.parse(Buffer.from(odd.value).toString())).toMatchObject({ reason: 'not-utf8', length: 1 });
  });
});
