import { mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryFolder } from '@countersign/testing';
import { describe, expect, it } from '@jest/globals';
import { compactDecrypt, decodeProtectedHeader, exportJWK, generateKeyPair } from 'jose';
import { openFolderKeyStore, readRecipientKey } from './index.js';

const session = '01900000-0000-7000-8000-000000000000';

describe('sealed secrets', () => {
  it.each([['X25519'], ['P-256']])('can be opened with the key of the recipient, %s', async (crv) => {
    const folder = await temporaryFolder();
    try {
      const keys = await generateKeyPair('ECDH-ES+A256KW', { crv, extractable: true });
      const recipient = readRecipientKey(
        JSON.stringify({ ...(await exportJWK(keys.publicKey)), kid: 'evidence' }),
      );
      const store = openFolderKeyStore(join(folder.path, 'deep', 'recordings'), recipient);
      await store.seal(session, Buffer.alloc(32, 5));
      const [name = ''] = readdirSync(join(folder.path, 'deep', 'recordings'));
      const sealed = readFileSync(join(folder.path, 'deep', 'recordings', name), 'utf8');
      expect(name).toBe(`${session}.jwe`);
      expect(decodeProtectedHeader(sealed)).toMatchObject({
        alg: 'ECDH-ES+A256KW',
        enc: 'A256GCM',
        kid: 'evidence',
      });
      const { plaintext } = await compactDecrypt(sealed, keys.privateKey);
      expect(JSON.parse(Buffer.from(plaintext).toString())).toEqual({
        version: 1,
        session,
        secret: Buffer.alloc(32, 5).toString('base64url'),
      });
    } finally {
      await folder.remove();
    }
  });

  it('are written once, under a name of ours, or not at all', async () => {
    const folder = await temporaryFolder();
    try {
      const { publicKey } = await generateKeyPair('ECDH-ES+A256KW', { crv: 'X25519', extractable: true });
      const path = join(folder.path, 'recordings');
      const store = openFolderKeyStore(path, readRecipientKey(JSON.stringify(await exportJWK(publicKey))));
      await store.seal(session, Buffer.alloc(32));
      await expect(store.seal(session, Buffer.alloc(32))).rejects.toThrow();
      await expect(store.seal('../elsewhere', Buffer.alloc(32))).rejects.toThrow();
      rmSync(path, { recursive: true });
      await expect(store.seal(session.replace('8', '9'), Buffer.alloc(32))).rejects.toThrow();
      mkdirSync(path);
    } finally {
      await folder.remove();
    }
  });

  it('are sealed to public keys for agreement only', async () => {
    const { privateKey } = await generateKeyPair('ECDH-ES+A256KW', { crv: 'X25519', extractable: true });
    const signing = await generateKeyPair('EdDSA', { crv: 'Ed25519', extractable: true });
    const wrong = [
      JSON.stringify(await exportJWK(privateKey)),
      JSON.stringify(await exportJWK(signing.publicKey)),
      '{"kty":"oct","k":"AAAA"}',
      'no JSON',
    ];
    for (const text of wrong) expect(() => readRecipientKey(text)).toThrow(/configuration/);
  });
});
