import { X509Certificate } from 'node:crypto';
import { digestOf } from '@countersign/contracts';
import {
  equal,
  FormatError,
  type NoteVerifier,
  parseVerifierKey,
  verifierFingerprint,
} from '@countersign/transparency';
import type { DossierManifest } from '../dossier/index.js';
import type { Findings, TrustReport } from '../report/index.js';

/** Certificates of evidence, one of which must name the checkpoint key: no other service may sign checkpoints. */
const EVIDENCE = 'URI:countersign://evidence/';

export interface Trust {
  /** Null where the manifest's vkey cannot be read. */
  readonly log: NoteVerifier | null;
  readonly authorityFingerprint: string | null;
  readonly checkpointKeyFingerprint: string | null;
  readonly report: TrustReport;
}

/** Who the keys of a dossier are, whether they belong together, and whether they are trusted from outside. */
export function checkTrust(manifest: DossierManifest, trusted: readonly string[], findings: Findings): Trust {
  const log = readLog(manifest, findings);
  const authority = readCertificate(manifest.authority);
  if (authority === null || !authority.ca)
    findings.add(
      'trust.authority',
      { line: 1 },
      'The authority in the manifest is not a certification authority.',
    );
  if (authority !== null && log !== null && !isCertified(manifest.checkpointCertificate, authority, log))
    findings.add(
      'trust.checkpoint-key',
      { line: 1 },
      'The checkpoint key has no certificate of the authority for the evidence service: whoever signed the checkpoints was not appointed to.',
    );

  const authorityFingerprint = authority === null ? null : fingerprintOf(authority);
  const checkpointKeyFingerprint = log === null ? null : verifierFingerprint(log);
  const given = [...new Set(trusted.map((fingerprint) => fingerprint.trim().toLowerCase()))];
  const matched = given.flatMap((fingerprint) => [
    ...(fingerprint === authorityFingerprint ? [{ fingerprint, as: 'authority' as const }] : []),
    ...(fingerprint === checkpointKeyFingerprint ? [{ fingerprint, as: 'checkpoint-key' as const }] : []),
  ]);
  const unmatched = given.filter((fingerprint) =>
    matched.every((match) => match.fingerprint !== fingerprint),
  );
  if (given.length > 0 && matched.length === 0)
    findings.add(
      'trust.other-keys',
      { line: 1 },
      `The dossier was made with other keys than the trusted ones: its authority is ${authorityFingerprint ?? 'unreadable'}, its checkpoint key ${checkpointKeyFingerprint ?? 'unreadable'}. The fingerprint is mistyped, or the dossier is of another deployment, or it was signed anew.`,
    );
  return { log, authorityFingerprint, checkpointKeyFingerprint, report: { given, matched, unmatched } };
}

function readLog(manifest: DossierManifest, findings: Findings): NoteVerifier | null {
  try {
    const log = parseVerifierKey(manifest.verifierKey);
    if (log.name === manifest.origin) return log;
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
  }
  findings.add(
    'trust.checkpoint-key',
    { line: 1 },
    'The verifier key in the manifest is not a key of the log.',
  );
  return null;
}

function readCertificate(pem: string): X509Certificate | null {
  try {
    return new X509Certificate(pem);
  } catch {
    return null;
  }
}

function isCertified(pem: string, authority: X509Certificate, log: NoteVerifier): boolean {
  const certificate = readCertificate(pem);
  if (certificate === null) return false;
  try {
    const key = certificate.publicKey.export({ format: 'der', type: 'spki' });
    return (
      certificate.checkIssued(authority) &&
      certificate.verify(authority.publicKey) &&
      // SubjectPublicKeyInfo of Ed25519 ends with the 32 bytes of the key (RFC 8410).
      certificate.publicKey.asymmetricKeyType === 'ed25519' &&
      equal(new Uint8Array(key.subarray(-32)), log.publicKey.bytes) &&
      (certificate.subjectAltName ?? '').split(', ').some((name) => name.startsWith(EVIDENCE))
    );
  } catch {
    return false;
  }
}

function fingerprintOf(certificate: X509Certificate): string {
  return digestOf(certificate.publicKey.export({ format: 'der', type: 'spki' }));
}
