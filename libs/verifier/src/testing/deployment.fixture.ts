import { type ServiceName, topics } from '@countersign/contracts';
import {
  createDeploymentAuthority,
  type InstanceIdentity,
  issueInstanceCertificate,
} from '@countersign/ledger';
import {
  type Ed25519PrivateKey,
  ed25519PrivateKey,
  formatVerifierKey,
  noteVerifier,
  verifierFingerprint,
} from '@countersign/transparency';

/** Keys and certificates of a whole installation. */
export interface Deployment {
  readonly origin: string;
  readonly authority: InstanceIdentity;
  readonly instances: Readonly<Record<ServiceName, InstanceIdentity>>;
  readonly checkpointCertificate: string;
  readonly checkpointKey: Ed25519PrivateKey;
  readonly verifierKey: string;
  readonly checkpointFingerprint: string;
}

const now = new Date('2026-01-01T00:00:00.000Z');

export async function createDeployment(): Promise<Deployment> {
  const origin = 'countersign.example/evidence';
  const authority = await createDeploymentAuthority('Sample deployment', now);
  const issue = (service: ServiceName, instance: string) =>
    issueInstanceCertificate(authority, { service, instance, now });
  const services = Object.keys(topics) as ServiceName[];
  const instances = await Promise.all(
    services.map(async (service) => [service, await issue(service, 'one')] as const),
  );
  const checkpoint = await issue('evidence', 'checkpoint');
  const checkpointKey = ed25519PrivateKey(checkpoint.privateKeyPem);
  const log = noteVerifier(origin, checkpointKey.publicKey.bytes);
  return {
    origin,
    authority,
    instances: Object.fromEntries(instances) as Record<ServiceName, InstanceIdentity>,
    checkpointCertificate: checkpoint.certificatePem,
    checkpointKey,
    verifierKey: formatVerifierKey(log),
    checkpointFingerprint: verifierFingerprint(log),
  };
}
