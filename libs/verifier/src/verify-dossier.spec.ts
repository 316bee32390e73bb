import { beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { type Progress, verifyDossier } from './index.js';
import { honestParts, linesOf } from './testing/dossier.fixture.js';
import { createWorld, verifyParts, type World } from './testing/world.fixture.js';

let world: World;
let lines: readonly string[];
const stranger = `sha256:${'0'.repeat(64)}`;

beforeAll(async () => {
  world = await createWorld();
  lines = await linesOf(world.parts);
});

const verdictOf = async (shown: readonly string[]) =>
  (await verifyDossier(shown, { trust: [world.trust.authority] })).verdict;

describe('an honest dossier', () => {
  it('is authentic for whoever trusts the authority or the checkpoint key', async () => {
    for (const trust of [world.trust.authority, world.trust.checkpoint]) {
      const report = await verifyParts(world.parts, trust);
      expect(report.findings).toEqual([]);
      expect(report.verdict).toBe('authentic');
    }
    const both = await verifyParts(world.parts, world.trust.authority, world.trust.checkpoint);
    expect(both.verdict).toBe('authentic');
  });

  it('is never authentic without a trusted fingerprint', async () => {
    const report = await verifyParts(world.parts);
    expect(report.verdict).toBe('consistent');
    expect(report.checks.find(({ id }) => id === 'trust')?.state).toBe('partial');
  });

  it('is not authentic where one of the fingerprints is of no key in it, and names that one', async () => {
    for (const trust of [[world.trust.authority], [world.trust.checkpoint, world.trust.authority]]) {
      const report = await verifyParts(world.parts, ...trust, stranger);
      expect(report.findings).toEqual([]);
      expect(report.verdict).toBe('consistent');
      expect(report.trust.unmatched).toEqual([stranger]);
      expect(report.sentence).toContain(stranger);
    }
  });

  it('is not authentic for whoever trusts other keys, whose own mistake is named first', async () => {
    const report = await verifyParts(world.parts, stranger);
    expect(report.sentence).toMatch(/mistyped fingerprint.*another deployment.*signed anew/);
    expect(report.verdict).toBe('tampered');
    expect(report.findings.map(({ code }) => code)).toEqual(['trust.other-keys']);
  });

  it('shows what was examined', async () => {
    const { checks, dossier } = await verifyParts(world.parts, world.trust.authority);
    expect(checks.map(({ state }) => state)).toEqual(Array.from({ length: 10 }, () => 'passed'));
    expect(dossier).toMatchObject({ treeSize: 27, events: 27, producers: 3, epochs: 4, decisions: 6 });
    expect(dossier?.records).toBe(world.parts.records.length);
  });

  it('may be of an empty log', async () => {
    const empty = honestParts(world.deployment, [], []);
    expect((await verifyParts(empty, world.trust.authority)).findings).toEqual([]);
  });

  it('may end within a batch, which only the checkpoint key vouches for', async () => {
    const cut = world.parts.leaves.findIndex(({ name }) => name === 'purge described') + 1;
    const parts = honestParts(world.deployment, world.parts.leaves.slice(0, cut), world.parts.policies);
    const byAuthority = await verifyParts(parts, world.trust.authority);
    expect(byAuthority.findings.map(({ code }) => code)).toEqual(['signature.open-tail']);
    expect(byAuthority.verdict).toBe('consistent');
    expect((await verifyParts(parts, world.trust.checkpoint)).verdict).toBe('authentic');
  });

  it('tells how far verification is', async () => {
    const seen: Progress[] = [];
    await verifyDossier(lines, { trust: [], onProgress: (progress) => seen.push(progress) });
    expect(seen[0]).toEqual({ stage: 'manifest', lines: 1, events: 0, ofEvents: 27 });
  });
});

describe('any other dossier is not authentic', () => {
  it('with any line left out', async () => {
    for (const [position] of lines.entries())
      expect([position, await verdictOf(lines.toSpliced(position, 1))]).not.toContain('authentic');
  });

  it('with any line twice', async () => {
    for (const [position, line] of lines.entries())
      expect([position, await verdictOf(lines.toSpliced(position, 0, line))]).not.toContain('authentic');
  });

  it('with any two neighbours swapped', async () => {
    for (const [position, line] of lines.entries()) {
      const next = lines[position + 1];
      if (next === undefined) continue;
      const swapped = lines.with(position, next).with(position + 1, line);
      expect([position, await verdictOf(swapped)]).not.toContain('authentic');
    }
  });

  it('cut anywhere', async () => {
    for (let kept = 0; kept < lines.length; kept += 1)
      expect([kept, await verdictOf(lines.slice(0, kept))]).not.toContain('authentic');
    const last = lines.at(-1) ?? '';
    const torn = await verifyDossier([...lines.slice(0, -1), last.slice(0, -4)], {
      trust: [world.trust.authority],
    });
    expect(torn.findings.map(({ code }) => code)).toEqual(['form.cut']);
  });

  it('with any character changed', async () => {
    // The manifest has a date, and PEM has white space, that nothing depends on.
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: lines.length - 1 }),
        fc.nat(),
        fc.constantFrom('0', 'A', 'z', '"', ' ', '}', '=', '\u00e9'),
        async (position, anyOffset, character) => {
          const line = lines[position] ?? '';
          const offset = anyOffset % line.length;
          const changed = line.slice(0, offset) + character + line.slice(offset + 1);
          if (changed !== line) expect(await verdictOf(lines.with(position, changed))).not.toBe('authentic');
        },
      ),
      { numRuns: 150 },
    );
  });

  it('with any field of the manifest changed', async () => {
    const manifest = JSON.parse(lines[0] ?? '') as Record<string, unknown>;
    for (const field of Object.keys(manifest).filter((name) => name !== 'createdAt'))
      for (const value of ['', 'x', 0, 26, null, world.deployment.instances.policy.certificatePem]) {
        const changed = JSON.stringify({ ...manifest, [field]: value });
        expect([field, value, await verdictOf(lines.with(0, changed))]).not.toContain('authentic');
      }
  });
});

describe('what is no dossier', () => {
  it.each([
    ['nothing', []],
    ['an empty line', ['']],
    ['another text', ['-----BEGIN CERTIFICATE-----']],
    ['another object', ['{"kind":"backup"}']],
  ])('is unreadable: %s', async (_, shown) => {
    const report = await verifyDossier(shown, { trust: [] });
    expect(report.verdict).toBe('unreadable');
    expect(report.dossier).toBeNull();
  });

  it('is unreadable where a line in the middle is', async () => {
    const report = await verifyDossier(lines.with(20, '{'), { trust: [world.trust.authority] });
    expect(report.verdict).toBe('unreadable');
    expect(report.findings).toMatchObject([{ code: 'form.unreadable', where: { line: 21 } }]);
  });
});
