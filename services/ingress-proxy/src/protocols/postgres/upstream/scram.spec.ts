import { createHash, createHmac, pbkdf2Sync } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { scramExchange } from './scram.js';

describe('SCRAM-SHA-256', () => {
  // The exchange of RFC 7677, section 3; PostgreSQL ignores the user name, so that its proof differs and is not compared.
  const nonce = 'rOprNGfwEbeRWgbNEkqO';
  const challenge = `r=${nonce}%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096`;

  it('proves the password, and checks that the server knows it too', async () => {
    const exchange = scramExchange('pencil', nonce);
    const { message, verify } = await exchange.final(challenge);
    const salted = pbkdf2Sync(
      'pencil',
      Buffer.from('W22ZaJ0SNY7soEsUEjb6gQ==', 'base64'),
      4096,
      32,
      'sha256',
    );
    const hmac = (key: Uint8Array, data: string): Buffer => createHmac('sha256', key).update(data).digest();
    const [withoutProof = '', proof = ''] = message.split(',p=');
    const transcript = `n=,r=${nonce},${challenge},${withoutProof}`;
    const storedKey = createHash('sha256').update(hmac(salted, 'Client Key')).digest();
    const signature = hmac(storedKey, transcript);
    const clientKey = Buffer.from(
      Buffer.from(proof, 'base64').map((byte, index) => byte ^ (signature[index] ?? 0)),
    );
    expect(createHash('sha256').update(clientKey).digest()).toEqual(storedKey);
    const serverSignature = hmac(hmac(salted, 'Server Key'), transcript).toString('base64');
    expect(() => verify(`v=${serverSignature}`)).not.toThrow();
    expect(() => verify(`v=${Buffer.alloc(32).toString('base64')}`)).toThrow();
    expect(() => verify('e=other-error')).toThrow();
  });

  it.each([
    ['a nonce that is not an extension of ours', 'r=other,s=AAAA,i=4096'],
    ['our nonce alone', `r=${nonce},s=AAAA,i=4096`],
    ['no iterations', `r=${nonce}x,s=AAAA,i=0`],
    ['iterations without end', `r=${nonce}x,s=AAAA,i=9999999`],
    ['nonsense', 'x'],
  ])('refuses %s', async (_what, wrong) => {
    await expect(scramExchange('pencil', nonce).final(wrong)).rejects.toMatchObject({
      code: 'target.unavailable',
    });
  });
});
