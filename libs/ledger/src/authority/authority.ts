// The certificate library registers its parts by decorators and needs this first.
import 'reflect-metadata';
import { createPublicKey, webcrypto } from 'node:crypto';
import * as x509 from '@peculiar/x509';

/** An Ed25519 key and its certificate, both PEM (private keys as PKCS #8). */
export interface InstanceIdentity {
  readonly certificatePem: string;
  readonly privateKeyPem: string;
}

type CryptoKey = webcrypto.CryptoKey;
type CryptoKeyPair = webcrypto.CryptoKeyPair;

const crypto = webcrypto;
const algorithm = { name: 'Ed25519' };
const millisecondsPerDay = 86_400_000;

async function newKeys(): Promise<CryptoKeyPair> {
  return (await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])) as CryptoKeyPair;
}

async function privatePem(key: CryptoKey): Promise<string> {
  return x509.PemConverter.encode(
    await crypto.subtle.exportKey('pkcs8', key),
    x509.PemConverter.PrivateKeyTag,
  );
}

async function readPrivate(pem: string): Promise<CryptoKey> {
  return crypto.subtle.importKey('pkcs8', x509.PemConverter.decodeFirst(pem), algorithm, true, ['sign']);
}

async function publicOf(pem: string): Promise<CryptoKey> {
  const spki = createPublicKey(pem).export({ type: 'spki', format: 'der' });
  return crypto.subtle.importKey('spki', new Uint8Array(spki), algorithm, true, ['verify']);
}

const serialNumber = (): string => Buffer.from(crypto.getRandomValues(new Uint8Array(16))).toString('hex');

/**
 * A deployment's certificate authority (X.509, RFC 5280; Ed25519, RFC 8410): its fingerprint is what auditors pin.
 * @param now when its validity begins
 */
export async function createDeploymentAuthority(
  name: string,
  now: Date,
  days = 3650,
): Promise<InstanceIdentity> {
  const keys = await newKeys();
  const certificate = await x509.X509CertificateGenerator.createSelfSigned(
    {
      serialNumber: serialNumber(),
      name: [{ CN: [name] }],
      notBefore: now,
      notAfter: new Date(now.getTime() + days * millisecondsPerDay),
      signingAlgorithm: algorithm,
      keys,
      extensions: [
        new x509.BasicConstraintsExtension(true, 0, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      ],
    },
    crypto,
  );
  return { certificatePem: certificate.toString('pem'), privateKeyPem: await privatePem(keys.privateKey) };
}

export interface CertificateRequest {
  /** Service and instance, named in the URI `countersign://<service>/<instance>`. */
  readonly service: string;
  readonly instance: string;
  /** PEM (PKCS #8) of a key that exists; a new one is made without it. */
  readonly privateKeyPem?: string;
  /** Names under which it serves TLS. */
  readonly dnsNames?: readonly string[];
  readonly now: Date;
  readonly days?: number;
}

/** Issues the certificate of a service instance, or of the checkpoint key. */
export async function issueInstanceCertificate(
  authority: InstanceIdentity,
  request: CertificateRequest,
): Promise<InstanceIdentity> {
  const issuer = new x509.X509Certificate(authority.certificatePem);
  let privateKeyPem = request.privateKeyPem;
  let publicKey: CryptoKey;
  if (privateKeyPem === undefined) {
    const keys = await newKeys();
    privateKeyPem = await privatePem(keys.privateKey);
    publicKey = keys.publicKey;
  } else {
    publicKey = await publicOf(privateKeyPem);
  }
  const certificate = await x509.X509CertificateGenerator.create(
    {
      serialNumber: serialNumber(),
      subject: [{ CN: [`${request.service}/${request.instance}`] }],
      issuer: issuer.subjectName,
      notBefore: request.now,
      notAfter: new Date(request.now.getTime() + (request.days ?? 825) * millisecondsPerDay),
      signingAlgorithm: algorithm,
      publicKey,
      signingKey: await readPrivate(authority.privateKeyPem),
      extensions: [
        new x509.BasicConstraintsExtension(false, undefined, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
        new x509.ExtendedKeyUsageExtension([
          x509.ExtendedKeyUsage.serverAuth,
          x509.ExtendedKeyUsage.clientAuth,
        ]),
        new x509.SubjectAlternativeNameExtension([
          { type: 'url', value: instanceUri(request.service, request.instance) },
          ...(request.dnsNames ?? []).map((value) => ({ type: 'dns' as const, value })),
        ]),
      ],
    },
    crypto,
  );
  return { certificatePem: certificate.toString('pem'), privateKeyPem };
}

/** The name that a certificate gives an instance. */
export function instanceUri(service: string, instance: string): string {
  return `countersign://${service}/${instance}`;
}
