import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';

export const issuerName = 'countersign-approval';

/** An issuer of tokens with its key set at a URL: what approval is to evidence. */
export interface Issuer {
  readonly jwksUrl: string;
  /** How often the key set was read. */
  readonly reads: number;
  /** A token of a person with the role of auditor, changed as told; `expires` in seconds from now. */
  token(changes?: TokenChanges): Promise<string>;
  close(): Promise<void>;
}

export interface TokenChanges {
  /** A claim that is null is left out. */
  readonly claims?: Readonly<Record<string, unknown>>;
  readonly audience?: string;
  readonly issuer?: string;
  readonly expires?: number;
  /** Signed by a key that the key set does not hold, under the id of one that it does. */
  readonly forged?: boolean;
}

export async function startIssuer(): Promise<Issuer> {
  const [known, unknown] = await Promise.all([generateKeyPair('EdDSA'), generateKeyPair('EdDSA')]);
  const keys = JSON.stringify({
    keys: [{ ...(await exportJWK(known.publicKey)), kid: 'key-1', alg: 'EdDSA' }],
  });
  let reads = 0;
  const server = createServer((_request, response) => {
    reads += 1;
    response.setHeader('Content-Type', 'application/json');
    response.end(keys);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    jwksUrl: `http://127.0.0.1:${port}/.well-known/jwks.json`,
    get reads() {
      return reads;
    },
    token({
      claims = {},
      audience = 'countersign-evidence',
      issuer = issuerName,
      expires = 600,
      forged,
    } = {}) {
      const now = Math.floor(Date.now() / 1000);
      const all = Object.entries({ kind: 'person', roles: ['auditor'], jti: 'token-1', ...claims });
      return new SignJWT(Object.fromEntries(all.filter(([, value]) => value !== null)))
        .setProtectedHeader({ alg: 'EdDSA', kid: 'key-1' })
        .setSubject('person-auditor')
        .setIssuer(issuer)
        .setAudience(audience)
        .setIssuedAt(now)
        .setExpirationTime(now + expires)
        .sign(forged ? unknown.privateKey : known.privateKey);
    },
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}
