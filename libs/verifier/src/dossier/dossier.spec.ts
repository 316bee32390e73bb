import { readFileSync } from 'node:fs';
import { toBase64 } from '@countersign/transparency';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { limits } from './limits.js';
import { DossierError, type DossierLine, formatLine, parseLine } from './line.js';
import { readDossier, splitLines } from './read.js';
import { writeDossier } from './write.js';

const cases = (name: string) =>
  readFileSync(new URL(`../../cases/${name}`, import.meta.url), 'utf8')
    .trim()
    .split('\n');

const hash = new Uint8Array(32).fill(5);
const manifest = {
  origin: 'example.com/log',
  treeSize: 600,
  foldVersion: 'fold/1',
  createdAt: '2026-01-02T03:04:05.678Z',
  verifierKey: 'key',
  authority: 'pem',
  checkpointCertificate: 'pem',
};
const content = {
  manifest,
  checkpoints: ['note'],
  leafHashes: Array.from({ length: 600 }, () => hash),
  policies: [{ policyDigest: `sha256:${'0'.repeat(64)}`, bundle: Uint8Array.of(1, 2, 3) }],
  events: [{ index: 0, topic: 'topic', key: '/a/b', value: 'é\n"', signature: toBase64(new Uint8Array(64)) }],
  records: ['{}'],
};

async function collect<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const collected: Item[] = [];
  for await (const item of items) collected.push(item);
  return collected;
}

async function* chunksOf(text: string, size: number): AsyncGenerator<Uint8Array> {
  const bytes = new TextEncoder().encode(text);
  for (let start = 0; start < bytes.length; start += size) yield bytes.subarray(start, start + size);
}

describe('a dossier', () => {
  it('is read as it was written, however its bytes are cut', async () => {
    const lines = await collect(writeDossier(content));
    for (const size of [1, 7, 1000, 1_000_000]) {
      const read = await collect(readDossier(splitLines(chunksOf(lines.join(''), size))));
      expect(read.map(({ line }) => formatLine(line))).toEqual(lines);
      expect(read.at(-1)).toEqual({ number: 9, line: { kind: 'end', lines: 8 } });
    }
  });

  it('keeps leaf hashes 256 a line', async () => {
    const lines = (await collect(writeDossier(content))).map((line) => JSON.parse(line) as DossierLine);
    const hashes = lines.filter((line) => line.kind === 'leaf-hashes');
    expect(hashes.map(({ start, hashes }) => [start, hashes.length])).toEqual([
      [0, 256],
      [256, 256],
      [512, 88],
    ]);
  });

  it('shows what it holds where it was cut, at or within a line', async () => {
    const whole = (await collect(writeDossier(content))).join('');
    for (const cut of [whole.length - 3, whole.length - 40, whole.indexOf('{"kind":"event"') + 20]) {
      const read = await collect(readDossier(splitLines(chunksOf(whole.slice(0, cut), 100))));
      expect(read.at(-1)?.line.kind).not.toBe('end');
    }
  });

  it.each(cases('invalid-lines.jsonl').map((text) => [text]))('has no line %s', (text) => {
    expect(() => parseLine(text, 1)).toThrow(DossierError);
  });

  it.each(
    cases('invalid-orders.jsonl').map(
      (text) => JSON.parse(text) as { name: string; kinds: string[]; line: number },
    ),
  )('is refused: $name', async ({ kinds, line }) => {
    const samples: Record<string, string> = { torn: '{"kind":' };
    for (const text of await collect(writeDossier(content)))
      samples[(JSON.parse(text) as DossierLine).kind] ??= text.trimEnd();
    const lines = kinds.map((kind) => samples[kind] ?? '');
    await expect(collect(readDossier(lines))).rejects.toMatchObject({ name: 'DossierError', line });
  });

  it('has limits', async () => {
    const long = { kind: 'event', index: 0, topic: 't', key: 'k', signature: null } as const;
    expect(() => parseLine(formatLine({ ...long, value: 'x'.repeat(limits.event + 1) }), 1)).toThrow(
      DossierError,
    );
    expect(() => parseLine(`"${'x'.repeat(limits.line)}"`, 1)).toThrow(DossierError);
    async function* endless() {
      for (;;) yield new Uint8Array(1024 * 1024).fill(0x20);
    }
    await expect(collect(splitLines(endless()))).rejects.toBeInstanceOf(DossierError);
  });

  it('is UTF-8', async () => {
    async function* broken() {
      yield Uint8Array.of(0x22, 0xff, 0x22, 0x0a);
    }
    await expect(collect(splitLines(broken()))).rejects.toBeInstanceOf(DossierError);
  });

  it('is read or refused, whatever the lines', async () => {
    const line = fc.oneof(
      fc.string(),
      fc.json(),
      fc
        .record({
          kind: fc.constantFrom(
            'manifest',
            'checkpoint',
            'leaf-hashes',
            'policy',
            'event',
            'record',
            'end',
            '__proto__',
          ),
          note: fc.string(),
          start: fc.oneof(fc.nat(), fc.double()),
          hashes: fc.array(fc.base64String()),
          index: fc.anything(),
          value: fc.string(),
          lines: fc.integer(),
        })
        .map((value) => JSON.stringify(value)),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(line, { maxLength: 5 }), async (lines) => {
        await expect(collect(readDossier(lines))).rejects.toBeInstanceOf(DossierError);
      }),
    );
  });
});
