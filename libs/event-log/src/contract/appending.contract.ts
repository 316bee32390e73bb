import { randomBytes } from 'node:crypto';
import { expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { EventLog } from '../event-log.js';
import { MAX_KEY_LENGTH, MAX_RECORDS, MAX_SIGNATURE_BYTES, MAX_VALUE_BYTES } from '../limits.js';
import { newTopic, Reader, record, textOf } from './fixture.js';

type Topics = (count?: number) => Promise<string[]>;

export function appendingContract(log: () => EventLog, topics: Topics): void {
  it('gives back the exact bytes, keys and signatures', async () => {
    const [topic = ''] = await topics();
    const every = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
    const sent = [
      record('/a/1', every, randomBytes(64)),
      record('/a/1', randomBytes(MAX_VALUE_BYTES)),
      record('/b/ "quoted" \\{1}', 'é€😀', Buffer.alloc(0)),
    ];
    await log().append(topic, sent);
    const reader = await new Reader(log(), [topic]).start().until(3);
    await reader.stop();
    expect(
      reader.records.map(({ key, value, signature }) => ({
        key,
        value: Buffer.from(value).toString('hex'),
        signature: signature === null ? null : Buffer.from(signature).toString('hex'),
      })),
    ).toEqual(
      sent.map(({ key, value, signature }) => ({
        key,
        value: Buffer.from(value).toString('hex'),
        signature: signature === null ? null : Buffer.from(signature).toString('hex'),
      })),
    );
    expect(reader.records.every((stored) => stored.topic === topic)).toBe(true);
  });

  it('keeps the order of each key, whatever was appended together', async () => {
    const plan = fc.array(fc.array(fc.nat({ max: 3 }), { minLength: 1, maxLength: 20 }), {
      minLength: 1,
      maxLength: 12,
    });
    await fc.assert(
      fc.asyncProperty(plan, async (appends) => {
        const [topic = ''] = await topics();
        let number = 0;
        const sent = appends.map((keys) =>
          keys.map((key) => {
            number += 1;
            return record(`/key/${key}`, `${number}`);
          }),
        );
        for (const records of sent) await log().append(topic, records);
        const reader = await new Reader(log(), [topic], 7).start().until(number);
        await reader.stop();
        for (const key of ['/key/0', '/key/1', '/key/2', '/key/3']) {
          const expected = sent.flat().filter((one) => one.key === key);
          expect(reader.texts(key)).toEqual(expected.map(textOf));
        }
      }),
      { numRuns: 8 },
    );
  });

  it('takes many appends at once, and loses and mixes none', async () => {
    const [topic = ''] = await topics();
    const producers = Array.from({ length: 20 }, (_, index) => `/producer/${index}`);
    await Promise.all(
      producers.map(async (key) => {
        for (let number = 0; number < 10; number += 1) {
          await log().append(topic, [record(key, `${number}a`), record(key, `${number}b`)]);
        }
      }),
    );
    const reader = await new Reader(log(), [topic]).start().until(400);
    await reader.stop();
    const expected = Array.from({ length: 10 }, (_, number) => [`${number}a`, `${number}b`]).flat();
    for (const key of producers) expect(reader.texts(key)).toEqual(expected);
  });

  it('knows the last record of a key', async () => {
    const [one = '', other = ''] = await topics(2);
    expect(await log().head(one, '/a/1')).toBeNull();
    await log().append(one, [
      record('/a/1', '1'),
      record('/a/2', '2'),
      record('/a/1', '3', Buffer.from('s')),
    ]);
    await log().append(other, [record('/a/1', '4')]);
    const head = await log().head(one, '/a/1');
    expect(head).toMatchObject({ key: '/a/1', topic: one });
    expect(head === null ? null : textOf(head)).toBe('3');
    expect(Buffer.from(head?.signature ?? []).toString()).toBe('s');
    await log().append(one, [record('/a/1', '5')]);
    const next = await log().head(one, '/a/1');
    expect(next === null ? null : textOf(next)).toBe('5');
    expect((next?.position ?? '') > (head?.position ?? '')).toBe(true);
  });

  it('takes an append of nothing', async () => {
    const [topic = ''] = await topics();
    await log().append(topic, []);
    expect(await log().head(topic, '/a/1')).toBeNull();
  });

  it.each([
    ['an empty value', [record('/a/1', '')]],
    ['a value that is too long', [record('/a/1', Buffer.alloc(MAX_VALUE_BYTES + 1))]],
    ['an empty key', [record('', 'x')]],
    ['a key that is too long', [record('k'.repeat(MAX_KEY_LENGTH + 1), 'x')]],
    ['a key with a NUL', [record('a\0', 'x')]],
    ['a signature that is too long', [record('/a/1', 'x', Buffer.alloc(MAX_SIGNATURE_BYTES + 1))]],
    ['too many records', Array.from({ length: MAX_RECORDS + 1 }, () => record('/a/1', 'x'))],
  ])('refuses %s, and all that goes with it', async (_, records) => {
    const [topic = ''] = await topics();
    await expect(log().append(topic, [record('/good/1', 'x'), ...records])).rejects.toMatchObject({
      code: 'recording.invalid',
    });
    expect(await log().head(topic, '/good/1')).toBeNull();
  });

  it.each(['', 'with space', 'x'.repeat(250), 'quote"', 'nul\0'])('refuses the topic %j', async (topic) => {
    const invalid = { code: 'recording.invalid' };
    await expect(log().append(topic, [record('/a/1', 'x')])).rejects.toMatchObject(invalid);
    await expect(log().head(topic, '/a/1')).rejects.toMatchObject(invalid);
    const signal = new AbortController().signal;
    const reading = log().subscribe({
      topics: [topic],
      from: new Map(),
      signal,
      onBatch: async () => undefined,
    });
    await expect(reading).rejects.toMatchObject(invalid);
  });

  it('refuses a stored position that is not its own', async () => {
    const topic = newTopic();
    const reading = log().subscribe({
      topics: [topic],
      from: new Map([[`${topic}/0`, 'somewhere']]),
      signal: new AbortController().signal,
      onBatch: async () => undefined,
    });
    await expect(reading).rejects.toMatchObject({ code: 'config.invalid' });
  });
}
