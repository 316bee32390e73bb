import { createPrivateKey, createPublicKey, generateKeyPairSync, X509Certificate } from 'node:crypto';
import type { EventEnvelope } from '@countersign/contracts';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { beginChain, sealEvent } from '../chain/index.js';
import {
  createDeploymentAuthority,
  epochStatement,
  fingerprintOf,
  type InstanceIdentity,
  issueInstanceCertificate,
  signEpoch,
  verifyEpochOpened,
} from './index.js';

type Opened = EventEnvelope<'countersign.epoch.opened.v1'>;

const now = new Date('2026-01-01T00:00:00.000Z');
const during = '2026-06-01T00:00:00.000Z';
const epoch = '019a0000-0000-7000-8000-000000000001';

let authority: InstanceIdentity;
let identity: InstanceIdentity;

beforeAll(async () => {
  authority = await createDeploymentAuthority('Test deployment', now);
  identity = await issueInstanceCertificate(authority, { service: 'policy', instance: 'one', now });
});

function opening(own: InstanceIdentity, source = '/policy/one', time = during): Opened {
  const publicKey = generateKeyPairSync('ed25519')
    .publicKey.export({ type: 'spki', format: 'pem' })
    .toString();
  const proof = signEpoch(epochStatement(source, epoch, publicKey), own.privateKeyPem);
  const data = { publicKey, certificate: own.certificatePem, proof, previous: null };
  const draft = { type: 'countersign.epoch.opened.v1' as const, data };
  return sealEvent(beginChain(source, epoch), draft, { id: epoch, time }).event.envelope as Opened;
}

describe('certificates', () => {
  it('of the authority are what X.509 asks of one (RFC 5280, RFC 8410)', () => {
    const certificate = new X509Certificate(authority.certificatePem);
    expect(certificate.ca).toBe(true);
    expect(certificate.publicKey.asymmetricKeyType).toBe('ed25519');
    expect(certificate.checkIssued(certificate)).toBe(true);
    expect(certificate.verify(certificate.publicKey)).toBe(true);
    expect(certificate.checkPrivateKey(createPrivateKey(authority.privateKeyPem))).toBe(true);
  });

  it('of an instance name it, belong to its key, and cannot certify others', () => {
    const certificate = new X509Certificate(identity.certificatePem);
    expect(certificate.subjectAltName).toBe('URI:countersign://policy/one');
    expect(certificate.checkPrivateKey(createPrivateKey(identity.privateKeyPem))).toBe(true);
    expect(certificate.ca).toBe(false);
    expect(certificate.verify(new X509Certificate(authority.certificatePem).publicKey)).toBe(true);
  });

  it('are issued over a key that exists, and for TLS names', async () => {
    const own = await issueInstanceCertificate(authority, {
      service: 'evidence',
      instance: 'one',
      privateKeyPem: identity.privateKeyPem,
      dnsNames: ['evidence.internal'],
      now,
    });
    expect(own.privateKeyPem).toBe(identity.privateKeyPem);
    expect(fingerprintOf(own.certificatePem)).toBe(fingerprintOf(identity.certificatePem));
    expect(new X509Certificate(own.certificatePem).checkHost('evidence.internal')).toBe('evidence.internal');
  });

  it('have serial numbers that are positive and do not repeat', async () => {
    const made = await Promise.all(
      Array.from({ length: 20 }, () =>
        issueInstanceCertificate(authority, { service: 'a', instance: 'b', now }),
      ),
    );
    const serials = made.map(({ certificatePem }) => new X509Certificate(certificatePem).serialNumber);
    expect(new Set(serials).size).toBe(20);
    // DER writes a number whose first bit is set with a zero in front; longer than 20 octets is not allowed.
    for (const serial of serials) expect(serial).toMatch(/^[0-9A-F]{1,40}$/);
  });
});

describe('fingerprintOf', () => {
  it('is the same for a certificate, its key in PEM, its key as object, and its private key', () => {
    const publicKey = createPublicKey(identity.privateKeyPem);
    const pem = publicKey.export({ type: 'spki', format: 'pem' }).toString();
    const forms = [identity.certificatePem, pem, publicKey, createPrivateKey(identity.privateKeyPem)];
    expect(new Set(forms.map((form) => fingerprintOf(form))).size).toBe(1);
    expect(fingerprintOf(pem)).toMatch(/^sha256:[0-9a-f]{64}$/);
    expect(fingerprintOf(pem)).not.toBe(fingerprintOf(authority.certificatePem));
  });
});

describe('verifyEpochOpened', () => {
  const ask = (envelope: Opened, ca = authority) => verifyEpochOpened(envelope, ca.certificatePem);

  it('accepts an epoch that a certified instance opened', () => {
    expect(ask(opening(identity))).toBe(true);
  });

  it('refuses an authority that only has the same name', async () => {
    expect(ask(opening(identity), await createDeploymentAuthority('Test deployment', now))).toBe(false);
  });

  it('refuses an instance that speaks under another name', () => {
    expect(ask(opening(identity, '/policy/two'))).toBe(false);
    expect(ask(opening(identity, '/ingress-proxy/one'))).toBe(false);
    expect(ask({ ...opening(identity), source: '/policy/one/more' })).toBe(false);
  });

  it('refuses what was changed behind the proof', () => {
    const envelope = opening(identity);
    const other = opening(identity);
    expect(ask({ ...envelope, epoch: '019a0000-0000-7000-8000-000000000002' })).toBe(false);
    expect(ask({ ...envelope, data: { ...envelope.data, publicKey: other.data.publicKey } })).toBe(false);
    expect(ask({ ...envelope, data: { ...envelope.data, proof: other.data.proof } })).toBe(false);
    expect(ask({ ...envelope, data: { ...envelope.data, proof: '' } })).toBe(false);
  });

  it('refuses a proof by another key than the certified one', () => {
    const { privateKey } = generateKeyPairSync('ed25519');
    const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
    expect(ask(opening({ ...identity, privateKeyPem: pem }))).toBe(false);
  });

  it.each([
    ['before the certificate began', '2025-12-31T23:59:59.000Z', false],
    ['as it begins', '2026-01-01T00:00:00.000Z', true],
    ['after it ended', '2029-01-01T00:00:00.000Z', false],
  ])('judges the time of the event: %s', (_, time, valid) => {
    expect(ask(opening(identity, '/policy/one', time))).toBe(valid);
  });

  it('refuses an authority that has ended, whatever it certified for longer', async () => {
    const brief = await createDeploymentAuthority('Brief', now, 10);
    const own = await issueInstanceCertificate(brief, { service: 'policy', instance: 'one', now });
    expect(ask(opening(own, '/policy/one', '2026-01-05T00:00:00.000Z'), brief)).toBe(true);
    expect(ask(opening(own, '/policy/one', during), brief)).toBe(false);
  });

  it('refuses the authority itself and certificates by an instance', async () => {
    expect(ask(opening(authority))).toBe(false);
    const own = await issueInstanceCertificate(identity, { service: 'policy', instance: 'one', now });
    expect(ask(opening(own))).toBe(false);
    expect(verifyEpochOpened(opening(own), identity.certificatePem)).toBe(false);
  });

  it.each(['', 'rubbish', '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----'])(
    'refuses %j in place of a certificate, a key or an authority, without throwing',
    (rubbish) => {
      const envelope = opening(identity);
      expect(ask({ ...envelope, data: { ...envelope.data, certificate: rubbish } })).toBe(false);
      expect(ask({ ...envelope, data: { ...envelope.data, publicKey: rubbish } })).toBe(false);
      expect(verifyEpochOpened(envelope, rubbish)).toBe(false);
    },
  );
});
