import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { createDeploymentAuthority, fingerprintOf, issueInstanceCertificate } from '@countersign/ledger';
import {
  ed25519PrivateKey,
  emptyRoot,
  formatVerifierKey,
  noteVerifier,
  signCheckpoint,
} from '@countersign/transparency';
import { exitCodes, type VerificationReport, writeDossier } from '@countersign/verifier';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

const program = fileURLToPath(new URL('./main.js', import.meta.url));
let folder: string;
let fingerprint: string;
let dossier: string;

/** The command as a person runs it. */
function countersign(...args: readonly string[]): Promise<{ code: number; out: string; err: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, [program, ...args], { timeout: 20_000 }, (error, out, err) => {
      resolve({ code: error === null ? 0 : Number(error.code), out, err });
    });
  });
}

async function file(name: string, content: string | Uint8Array): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, content);
  return path;
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'countersign-verify-'));
  const now = new Date('2026-01-01T00:00:00Z');
  const authority = await createDeploymentAuthority('Sample deployment', now);
  const issued = await issueInstanceCertificate(authority, {
    service: 'evidence',
    instance: 'checkpoint',
    now,
  });
  const key = ed25519PrivateKey(issued.privateKeyPem);
  const log = noteVerifier('countersign.example/evidence', key.publicKey.bytes);
  fingerprint = fingerprintOf(authority.certificatePem);
  const lines = writeDossier({
    manifest: {
      origin: log.name,
      treeSize: 0,
      foldVersion: 'countersign-fold/1',
      createdAt: now.toISOString(),
      verifierKey: formatVerifierKey(log),
      authority: authority.certificatePem,
      checkpointCertificate: issued.certificatePem,
    },
    checkpoints: [signCheckpoint({ origin: log.name, size: 0, root: emptyRoot(), extensions: [] }, key)],
    leafHashes: [],
    policies: [],
    events: [],
    records: [],
  });
  dossier = '';
  for await (const line of lines) dossier += line;
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe('countersign verify', () => {
  it('says authentic for a trusted fingerprint, plain or packed', async () => {
    for (const path of [await file('plain', dossier), await file('packed', gzipSync(dossier))]) {
      const { code, out } = await countersign(
        'verify',
        path,
        '--trust',
        fingerprint.toUpperCase().replace('SHA', 'sha'),
      );
      expect(out).toContain('AUTHENTIC');
      expect(out).toContain('What no dossier can show');
      expect(code).toBe(exitCodes.authentic);
    }
  });

  it('never says authentic without one', async () => {
    const { code, out } = await countersign('verify', await file('plain', dossier));
    expect(out).toContain('CONSISTENT');
    expect(out).not.toContain('AUTHENTIC');
    expect(code).toBe(exitCodes.consistent);
  });

  it('wants every fingerprint to fit, and prints a report for machines', async () => {
    const other = `sha256:${'0'.repeat(64)}`;
    const { code, out } = await countersign(
      'verify',
      await file('plain', dossier),
      '--trust',
      other,
      '--trust',
      fingerprint,
      '--json',
    );
    const report = JSON.parse(out) as VerificationReport;
    expect(report).toMatchObject({
      format: 'countersign-verification/1',
      verdict: 'consistent',
      findings: [],
    });
    expect(report.trust.unmatched).toEqual([other]);
    expect(report.sentence).toContain(other);
    expect(code).toBe(exitCodes.consistent);
  });

  it('says what is wrong, and where', async () => {
    const { code, out } = await countersign(
      'verify',
      await file('forged', dossier.replace('/evidence\\n0\\n', '/evidence\\n1\\n')),
      '--trust',
      fingerprint,
    );
    expect(out).toContain('TAMPERED');
    expect(out).toContain('checkpoint.signature');
    expect(code).toBe(exitCodes.tampered);
  });

  it('tells a cut archive from a whole one', async () => {
    const { code, out } = await countersign(
      'verify',
      await file('cut', gzipSync(dossier).subarray(0, -12)),
      '--trust',
      fingerprint,
    );
    expect(out).not.toContain('AUTHENTIC');
    expect(code).not.toBe(exitCodes.authentic);
  });

  it('calls unreadable what is no dossier', async () => {
    const { code, out } = await countersign(
      'verify',
      await file('letter', 'Dear auditor,\nplease trust us.\n'),
    );
    expect(out).toContain('UNREADABLE');
    expect(code).toBe(exitCodes.unreadable);
  });

  it('fails plainly for a missing file, a folder and a malformed fingerprint', async () => {
    for (const path of [join(folder, 'missing'), folder]) {
      const { code, err } = await countersign('verify', path);
      expect(err).toContain('The dossier cannot be read.');
      expect(code).toBe(1);
    }
    const { code, err } = await countersign('verify', await file('plain', dossier), '--trust', 'sha256:00');
    expect(err).toContain('64 hexadecimal digits');
    expect(code).toBe(1);
  });

  it('documents its exit codes', async () => {
    const { out } = await countersign('verify', '--help');
    for (const [verdict, code] of Object.entries(exitCodes)) expect(out).toContain(`${code}  ${verdict}`);
  });
});
