import { X509Certificate } from 'node:crypto';
import { CountersignError } from '@countersign/errors';
import { readConfiguredFile } from '@countersign/service-kit';
import {
  type Ed25519PrivateKey,
  ed25519PrivateKey,
  equal,
  formatVerifierKey,
  noteVerifier,
} from '@countersign/transparency';

/** The key that signs checkpoints, with what an auditor needs to trust it. */
export interface CheckpointKey {
  readonly origin: string;
  readonly privateKey: Ed25519PrivateKey;
  /** C2SP vkey. */
  readonly verifierKey: string;
  /** PEM, by the deployment's authority. */
  readonly certificate: string;
  /** PEM of the deployment's authority. */
  readonly authority: string;
}

export interface CheckpointKeyFiles {
  readonly origin: string;
  readonly authorityFile: string;
  readonly privateKeyFile: string;
  readonly certificateFile: string;
}

/** Reads the key and holds it against its certificate. Throws config.invalid naming the key that is wrong. */
export function loadCheckpointKey(files: CheckpointKeyFiles): CheckpointKey {
  const authority = readConfiguredFile(files.authorityFile);
  const certificate = readConfiguredFile(files.certificateFile);
  const privateKey = attempt('checkpoint.privateKeyFile: no Ed25519 key in PKCS #8 PEM.', () =>
    ed25519PrivateKey(readConfiguredFile(files.privateKeyFile)),
  );
  const certified = attempt(
    'checkpoint.certificateFile or authorityFile: no X.509 certificate in PEM.',
    () => {
      const leaf = new X509Certificate(certificate);
      const issuer = new X509Certificate(authority);
      return {
        byAuthority: leaf.checkIssued(issuer) && leaf.verify(issuer.publicKey),
        spki: leaf.publicKey.export({ format: 'der', type: 'spki' }),
      };
    },
  );
  if (!certified.byAuthority) {
    throw invalid('checkpoint.certificateFile: not issued by the authority of authorityFile.');
  }
  if (!equal(certified.spki.subarray(-32), privateKey.publicKey.bytes)) {
    throw invalid('checkpoint.certificateFile: it certifies another key than checkpoint.privateKeyFile.');
  }
  const verifier = attempt('origin: not a name for a log (no spaces, no plus).', () =>
    noteVerifier(files.origin, privateKey.publicKey.bytes),
  );
  return {
    origin: files.origin,
    privateKey,
    verifierKey: formatVerifierKey(verifier),
    certificate,
    authority,
  };
}

function attempt<Result>(detail: string, work: () => Result): Result {
  try {
    return work();
  } catch (error) {
    if (error instanceof CountersignError) throw error;
    throw invalid(detail, error);
  }
}

function invalid(detail: string, cause?: unknown): CountersignError {
  return new CountersignError('config.invalid', { detail, cause });
}
