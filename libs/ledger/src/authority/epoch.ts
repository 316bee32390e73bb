import { createPrivateKey, createPublicKey, sign, verify, X509Certificate } from 'node:crypto';
import type { EventEnvelope } from '@countersign/contracts';
import { instanceUri } from './authority.js';

/** What an instance key signs to open an epoch: binds the epoch, its key and the instance. */
export function epochStatement(source: string, epoch: string, publicKeyPem: string): string {
  return `countersign-epoch-v1\n${source}\n${epoch}\n${publicKeyPem}`;
}

/** Base64 Ed25519 signature of the statement. */
export function signEpoch(statement: string, instancePrivateKeyPem: string): string {
  return sign(null, Buffer.from(statement), createPrivateKey(instancePrivateKeyPem)).toString('base64');
}

function isValidAt(certificate: X509Certificate, time: number): boolean {
  // From the texts: an older Node, with which somebody may verify, has no dates of certificates.
  return time >= Date.parse(certificate.validFrom) && time <= Date.parse(certificate.validTo);
}

/**
 * Whether event 0 was opened by an instance that the deployment's authority certified under that very name.
 * Validity is judged at the event's own time: a certificate that ended later opened it rightly.
 */
export function verifyEpochOpened(
  envelope: EventEnvelope<'countersign.epoch.opened.v1'>,
  authorityPem: string,
): boolean {
  try {
    const { certificate: certificatePem, publicKey, proof } = envelope.data;
    const authority = new X509Certificate(authorityPem);
    const certificate = new X509Certificate(certificatePem);
    const [, service = '', instance = ''] = envelope.source.split('/');
    const names = (certificate.subjectAltName ?? '').split(', ');
    const time = Date.parse(envelope.time);
    return (
      envelope.source === `/${service}/${instance}` &&
      authority.ca &&
      !certificate.ca &&
      certificate.checkIssued(authority) &&
      certificate.verify(authority.publicKey) &&
      names.includes(`URI:${instanceUri(service, instance)}`) &&
      isValidAt(authority, time) &&
      isValidAt(certificate, time) &&
      createPublicKey(publicKey).asymmetricKeyType === 'ed25519' &&
      verify(
        null,
        Buffer.from(epochStatement(envelope.source, envelope.epoch, publicKey)),
        certificate.publicKey,
        Buffer.from(proof, 'base64'),
      )
    );
  } catch {
    return false;
  }
}
