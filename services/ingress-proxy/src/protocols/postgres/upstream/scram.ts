import { createHash, createHmac, pbkdf2, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';
import { CountersignError } from '@countersign/errors';

/** SCRAM-SHA-256 as a client (RFC 5802, RFC 7677), without channel binding. */
export interface ScramExchange {
  readonly first: string;
  /** Answers the server's challenge. */
  final(challenge: string): Promise<{ readonly message: string; verify(serverFinal: string): void }>;
}

const derive = promisify(pbkdf2);
const HEADER = 'n,,';
const MOST_ITERATIONS = 200_000;

/**
 * @param nonce at least 18 random bytes, base64
 * @throws CountersignError target.unavailable where the server does not follow the exchange or cannot prove itself
 */
export function scramExchange(password: string, nonce: string): ScramExchange {
  const bare = `n=,r=${nonce}`;
  return {
    first: `${HEADER}${bare}`,
    async final(challenge) {
      const { serverNonce, salt, iterations } = readChallenge(challenge, nonce);
      const salted = await derive(password.normalize('NFKC'), salt, iterations, 32, 'sha256');
      const withoutProof = `c=${Buffer.from(HEADER).toString('base64')},r=${serverNonce}`;
      const transcript = `${bare},${challenge},${withoutProof}`;
      const clientKey = hmac(salted, 'Client Key');
      const signature = hmac(createHash('sha256').update(clientKey).digest(), transcript);
      const proof = Buffer.from(clientKey.map((byte, index) => byte ^ (signature[index] ?? 0)));
      const expected = hmac(hmac(salted, 'Server Key'), transcript);
      return {
        message: `${withoutProof},p=${proof.toString('base64')}`,
        verify(serverFinal) {
          const given = Buffer.from(/^v=([A-Za-z0-9+/=]+)/.exec(serverFinal)?.[1] ?? '', 'base64');
          if (given.length !== expected.length || !timingSafeEqual(given, expected)) throw refused();
        },
      };
    },
  };
}

function readChallenge(challenge: string, nonce: string) {
  const match = /^r=([!-+\--~]+),s=([A-Za-z0-9+/=]+),i=(\d{1,7})(?:,|$)/.exec(challenge);
  const [, serverNonce = '', salt = '', count = '0'] = match ?? [];
  const iterations = Number(count);
  if (!serverNonce.startsWith(nonce) || serverNonce.length <= nonce.length) throw refused();
  if (iterations < 1 || iterations > MOST_ITERATIONS) throw refused();
  return { serverNonce, salt: Buffer.from(salt, 'base64'), iterations };
}

function hmac(key: Uint8Array, data: string): Buffer {
  return createHmac('sha256', key).update(data).digest();
}

function refused(): CountersignError {
  return new CountersignError('target.unavailable', { cause: new Error('SCRAM exchange failed') });
}
