import { randomBytes } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import {
  createDeploymentAuthority,
  type InstanceIdentity,
  issueInstanceCertificate,
} from '@countersign/ledger';
import { exportJWK, exportPKCS8, generateKeyPair } from 'jose';

/** Certificates begin a minute ago: clocks of one installation differ by less. Milliseconds. */
const clockSlack = 60_000;

/** Reads a file, or makes it with owner-only rights the first time. */
async function kept(file: string, make: () => Promise<string> | string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  const text = await make();
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  await writeFile(file, text, { mode: 0o600, flag: 'wx' });
  return text;
}

/** Everything secret of one installation, in files below `<data>/secrets`, made once. */
export class Secrets {
  readonly folder: string;

  constructor(data: string) {
    this.folder = join(data, 'secrets');
  }

  file(name: string): string {
    return join(this.folder, name);
  }

  /** A password of 192 random bits. */
  async password(name: string): Promise<string> {
    return kept(this.file(`${name}.password`), () => randomBytes(24).toString('base64url'));
  }

  /** A file with 32 random bytes, base64. */
  async symmetricKey(name: string): Promise<string> {
    await kept(this.file(`${name}.key`), () => randomBytes(32).toString('base64'));
    return this.file(`${name}.key`);
  }

  /** A file with an Ed25519 private key, PKCS #8 PEM. */
  async signingKey(name: string): Promise<string> {
    const file = this.file(`${name}.pem`);
    await kept(file, async () => {
      const { privateKey } = await generateKeyPair('EdDSA', { crv: 'Ed25519', extractable: true });
      return exportPKCS8(privateKey);
    });
    return file;
  }

  /** Key pair to which the ingress seals recording keys: X25519, JWK files. Returns the public file. */
  async recordingRecipient(): Promise<string> {
    const publicFile = this.file('recording-recipient.public.jwk');
    await kept(this.file('recording-recipient.private.jwk'), async () => {
      const pair = await generateKeyPair('ECDH-ES+A256KW', { crv: 'X25519', extractable: true });
      await kept(publicFile, async () => JSON.stringify(await exportJWK(pair.publicKey)));
      return JSON.stringify(await exportJWK(pair.privateKey));
    });
    return publicFile;
  }

  /** The deployment's certificate authority. */
  async authority(): Promise<InstanceIdentity & { readonly certificateFile: string }> {
    const certificateFile = this.file('authority.certificate.pem');
    const privateKeyPem = await kept(this.file('authority.pem'), async () => {
      const made = await createDeploymentAuthority(
        'Countersign sample deployment',
        new Date(Date.now() - clockSlack),
      );
      await kept(certificateFile, () => made.certificatePem);
      return made.privateKeyPem;
    });
    return { certificatePem: await readFile(certificateFile, 'utf8'), privateKeyPem, certificateFile };
  }

  /** A certificate by the authority for a service instance, over its own key; both as files. */
  async identity(
    service: string,
    instance: string,
  ): Promise<{ certificateFile: string; privateKeyFile: string }> {
    const name = `${service}.${instance}`;
    const privateKeyFile = await this.signingKey(name);
    const certificateFile = this.file(`${name}.certificate.pem`);
    await kept(certificateFile, async () => {
      const request = {
        service,
        instance,
        privateKeyPem: await readFile(privateKeyFile, 'utf8'),
        now: new Date(Date.now() - clockSlack),
      };
      return (await issueInstanceCertificate(await this.authority(), request)).certificatePem;
    });
    return { certificateFile, privateKeyFile };
  }

  /** A secret text that may change between starts, as a file. */
  async text(name: string, text: string): Promise<string> {
    await mkdir(this.folder, { recursive: true, mode: 0o700 });
    await writeFile(this.file(name), text, { mode: 0o600 });
    return this.file(name);
  }
}
