import { readFileSync } from 'node:fs';
import { waitUntil } from '@countersign/testing';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { generateKeyPair, SignJWT } from 'jose';
import type pg from 'pg';
import { codeOf, fieldOf, RawClient, startWorld, type World } from './testing/index.js';

interface PacketCase {
  readonly name: string;
  readonly hex: string;
  readonly code: string;
}
interface MessageCase extends PacketCase {
  readonly fatal: boolean;
}

const casesOf = <Case>(file: string): readonly Case[] =>
  JSON.parse(readFileSync(new URL(`../cases/${file}`, import.meta.url), 'utf8')) as readonly Case[];

let world: World;

beforeAll(async () => {
  world = await startWorld({
    settings: {
      limits: { authenticationSeconds: 1, idleSeconds: 1.5, refusedAttemptsPerMinute: 40, connections: 40 },
    },
  });
});

afterAll(async () => {
  await world?.stop();
});

async function signedIn(claims: Readonly<Record<string, unknown>> = {}): Promise<RawClient> {
  const client = await RawClient.open(world.port);
  await client.signIn('agent-1', 'shop', await world.approval.token(claims));
  return client;
}

describe('first packets', () => {
  it.each(casesOf<PacketCase>('first-packets.json'))('refuses $name', async ({ hex, code }) => {
    const client = await RawClient.open(world.port);
    client.send(hex);
    // Answers to requests for TLS are single bytes outside the framing.
    if (hex.includes('04d21630')) for (let count = 0; count < 3; count += 1) await client.byte();
    const messages = await client.until('none');
    expect(messages.map((message) => [message.type, codeOf(message), fieldOf(message, 'V')])).toEqual([
      ['E', code, 'FATAL'],
    ]);
  });

  it('gives up on a peer that says nothing, or half', async () => {
    const silent = await RawClient.open(world.port);
    const half = await RawClient.open(world.port);
    half.send('00000020');
    const [first, second] = [await silent.until('E'), await half.until('E')];
    expect([codeOf(first[0]), codeOf(second[0])]).toEqual(['protocol.timeout', 'protocol.timeout']);
  });

  it('declines TLS and GSS where they are not configured, and goes on', async () => {
    const client = await RawClient.open(world.port);
    client.send('00000008 04d21630');
    expect(await client.byte()).toBe('N');
    client.send('00000008 04d2162f');
    expect(await client.byte()).toBe('N');
    await client.signIn('agent-1', 'shop', await world.approval.token());
    client.close();
  });

  it('names the minor version that it speaks', async () => {
    const client = await RawClient.open(world.port);
    client.startup({ user: 'agent-1', database: 'shop', '_pq_.thing': '1' }, 196610);
    const [negotiate] = await client.until('R');
    expect([negotiate?.type, negotiate?.body.readInt32BE(4)]).toEqual(['v', 1]);
    client.close();
  });

  it('takes a cancel request of nobody without an answer and without an effect', async () => {
    const client = await RawClient.open(world.port);
    client.send('00000010 04d2162e 00000001 00000002');
    expect(await client.until('none')).toEqual([]);
    expect(
      await world.metrics.registry.getSingleMetricAsString('countersign_ingress_cancel_requests_total'),
    ).toMatch(/outcome="unknown".* 1$/m);
  });

  it.each([
    ['replication', { replication: 'database' }],
    ['options', { options: '-c search_path=x' }],
    ['another encoding', { client_encoding: 'LATIN1' }],
  ])('refuses %s', async (_what, parameters) => {
    const client = await RawClient.open(world.port);
    client.startup({ user: 'agent-1', database: 'shop', ...parameters });
    expect((await client.until('none')).map(codeOf)).toEqual(['protocol.unsupported']);
  });

  it('refuses what is not a password', async () => {
    const client = await RawClient.open(world.port);
    client.startup({ user: 'agent-1', database: 'shop' });
    await client.until('R');
    client.message('Q', 'SELECT 1');
    expect((await client.until('none')).map(codeOf)).toEqual(['protocol.malformed']);
  });
});

describe('messages of a session', () => {
  it.each(casesOf<MessageCase>('session-messages.json'))('refuses $name', async ({ hex, code, fatal }) => {
    const client = await signedIn();
    client.send(hex);
    const messages = await client.until(fatal ? 'none' : 'Z');
    const error = messages.find((message) => message.type === 'E');
    expect([codeOf(error), fieldOf(error, 'V')]).toEqual([code, fatal ? 'FATAL' : 'ERROR']);
    if (!fatal) {
      client.message('Q', 'SELECT 1');
      const after = await client.until('Z');
      expect(after.map((message) => message.type)).toEqual(['T', 'D', 'C', 'Z']);
    }
    client.close();
  });

  it('skips to the Sync after an error', async () => {
    const client = await signedIn();
    client.message('E', '', Buffer.alloc(4));
    client.message('P', '', 'SELECT 1', Buffer.alloc(2));
    client.message('Q', 'SELECT 2');
    client.message('S');
    expect((await client.until('Z')).map((message) => message.type)).toEqual(['E', 'Z']);
    client.close();
  });

  it('runs a batch that a transaction holds together', async () => {
    const client = await signedIn();
    for (const text of ['BEGIN', "INSERT INTO events (kind) VALUES ('batch')", 'SELECT 1']) {
      client.message('P', '', text, Buffer.alloc(2));
      client.message('B', '', '', Buffer.alloc(6));
      client.message('D', Buffer.from('P'), '');
      client.message('E', '', Buffer.alloc(4));
    }
    client.message('S');
    const messages = await client.until('Z');
    expect(messages.map(({ type }) => type).join('')).toBe('12nC12nC12TDCZ');
    expect(messages.at(-1)?.body.toString()).toBe('T');
    client.close();
  });

  it('describes without running, and answers a Flush', async () => {
    const client = await signedIn();
    client.message('P', 's', 'INSERT INTO events (kind) VALUES ($1) RETURNING id', Buffer.alloc(2));
    client.message('D', Buffer.from('S'), 's');
    client.message('H');
    expect((await client.until('T')).map(({ type }) => type)).toEqual(['1', 't', 'T']);
    client.message('S');
    await client.until('Z');
    const { rows } = await world.owner.query(
      "SELECT count(*)::int AS n FROM shop.events WHERE kind = 'batch'",
    );
    expect(rows).toEqual([{ n: 0 }]);
    client.message('C', Buffer.from('S'), 's');
    client.message('S');
    expect((await client.until('Z')).map(({ type }) => type)).toEqual(['3', 'Z']);
    client.close();
  });

  it('answers an empty statement as PostgreSQL does', async () => {
    const client = await signedIn();
    client.message('P', '', ' ', Buffer.alloc(2));
    client.message('B', '', '', Buffer.alloc(6));
    client.message('D', Buffer.from('P'), '');
    client.message('E', '', Buffer.alloc(4));
    client.message('S');
    expect((await client.until('Z')).map(({ type }) => type)).toEqual(['1', '2', 'n', 'I', 'Z']);
    client.close();
  });

  it('does not let a described statement run, and refuses to describe what needs an approval', async () => {
    const client = await signedIn();
    client.message('P', '', 'DELETE FROM events', Buffer.alloc(2));
    client.message('D', Buffer.from('S'), '');
    client.message('S');
    const messages = await client.until('Z');
    expect(codeOf(messages.find(({ type }) => type === 'E'))).toBe('protocol.unsupported');
    client.close();
  });

  it('takes a statement of 1 MB, and answers a larger one', async () => {
    const client = await world.connect();
    const padded = (bytes: number): string => `SELECT 1 AS a ${' '.repeat(bytes - 14)}`;
    const { rows } = await client.query(padded(1_000_000));
    const errors = await Promise.all(
      [padded(1024 * 1024 + 1), padded(5_000_000)].map((text) =>
        client.query(text).then(
          () => 'it worked',
          (error: pg.DatabaseError) => error.routine,
        ),
      ),
    );
    const prepared = await client
      .query({ text: padded(2_000_000), name: 'large' })
      .catch((error) => error.routine);
    await client.query('SELECT 1');
    await client.end();
    expect([rows, errors, prepared]).toEqual([
      [{ a: 1 }],
      ['statement.too_large', 'statement.too_large'],
      'statement.too_large',
    ]);
  });

  it('survives messages in any order', async () => {
    const pieces: readonly ((client: RawClient) => void)[] = [
      (client) => client.message('P', 'a', 'SELECT 1', Buffer.alloc(2)),
      (client) => client.message('P', '', 'SELECT id FROM customers LIMIT 2', Buffer.alloc(2)),
      (client) => client.message('B', 'p', 'a', Buffer.alloc(6)),
      (client) => client.message('B', '', '', Buffer.alloc(6)),
      (client) => client.message('D', Buffer.from('S'), 'a'),
      (client) => client.message('D', Buffer.from('P'), ''),
      (client) => client.message('E', '', Buffer.alloc(4)),
      (client) => client.message('E', 'p', Buffer.alloc(4)),
      (client) => client.message('C', Buffer.from('S'), 'a'),
      (client) => client.message('H'),
      (client) => client.message('S'),
      (client) => client.message('Q', 'SELECT 2'),
      (client) => client.message('Q', 'BEGIN'),
      (client) => client.message('Q', 'ROLLBACK'),
      (client) => client.message('d', Buffer.from('copy')),
    ];
    await fc.assert(
      fc.asyncProperty(fc.array(fc.constantFrom(...pieces), { maxLength: 15 }), async (sequence) => {
        const client = await signedIn();
        for (const send of sequence) send(client);
        client.message('S');
        client.message('Q', "SELECT 'the end'");
        // Whatever came before, the session is in order again after a Sync.
        const types = (await client.untilTheEnd()).map(({ type }) => type);
        expect(types.slice(-4)).toEqual(['T', 'D', 'C', 'Z']);
        client.close();
      }),
      { numRuns: 40 },
    );
  });

  it('takes no more connections than it is told to', async () => {
    const clients = await Promise.all(Array.from({ length: 40 }, () => RawClient.open(world.port)));
    await new Promise((resolve) => setTimeout(resolve, 50));
    const late = await RawClient.open(world.port);
    expect((await late.until('none')).map(codeOf)).toEqual(['session.too_many']);
    for (const client of clients) client.close();
    await waitUntil(async () => {
      const client = await world.connect().catch(() => null);
      await client?.end();
      return client !== null;
    });
  });

  it('gives back-pressure to who does not read', async () => {
    const client = await signedIn();
    client.socket.pause();
    client.message('Q', "SELECT repeat('x', 1000) FROM generate_series(1, 100000)");
    await new Promise((resolve) => setTimeout(resolve, 300));
    const before = process.memoryUsage().arrayBuffers;
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(20_000_000);
    client.close();
  });

  it('ends an idle session', async () => {
    const client = await signedIn();
    expect((await client.until('none')).map(codeOf)).toEqual(['protocol.timeout']);
  });
});

describe('tokens', () => {
  const now = (): number => Math.floor(Date.now() / 1000);
  const wrong: readonly (readonly [string, Readonly<Record<string, unknown>>, string])[] = [
    ['an expired token', { iat: now() - 900, exp: now() - 1 }, 'auth.token_expired'],
    ['a token that lives too long', { exp: now() + 86_400 }, 'auth.token_invalid'],
    ['a token of the future', { nbf: now() + 300 }, 'auth.token_invalid'],
    ['a token for another target', { aud: 'other' }, 'auth.token_wrong_target'],
    ['a token for several targets', { aud: ['shop', 'other'] }, 'auth.token_wrong_target'],
    ['a token of another issuer', { iss: 'somebody' }, 'auth.token_invalid'],
    ['a token of another agent', { sub: 'agent-2' }, 'auth.subject_mismatch'],
    ['a token of a person', { kind: 'person', roles: ['approver'] }, 'auth.kind_forbidden'],
    ['a token without a grant', { grant: undefined }, 'auth.token_invalid'],
    ['a token for a grant that nobody knows', { grant: 'grant-9' }, 'grant.unknown'],
  ];

  it.each(wrong)('refuses %s', async (_what, claims, code) => {
    await expect(world.connect({ claims })).rejects.toMatchObject({ routine: code, severity: 'FATAL' });
  });

  it('refuses no token, no JWT, a foreign key and a changed one', async () => {
    const { privateKey } = await generateKeyPair('EdDSA', { crv: 'Ed25519' });
    const foreign = await new SignJWT({ sub: 'agent-1', kind: 'agent' })
      .setProtectedHeader({ alg: 'EdDSA', kid: 'test' })
      .sign(privateKey);
    const [head, , signature] = (await world.approval.token()).split('.');
    const none = Buffer.from('{"alg":"none"}').toString('base64url');
    const payload = Buffer.from('{"sub":"agent-1"}').toString('base64url');
    const passwords = ['', 'secret', foreign, `${head}.${payload}.${signature}`, `${none}.${payload}.`];
    const codes: unknown[] = [];
    for (const password of passwords) {
      const client = await RawClient.open(world.port);
      client.startup({ user: 'agent-1', database: 'shop' });
      await client.until('R');
      client.message('p', password);
      codes.push(...(await client.until('none')).map(codeOf));
    }
    expect(codes).toEqual([
      'auth.token_missing',
      'auth.token_invalid',
      'auth.token_invalid',
      'auth.token_invalid',
      'auth.token_invalid',
    ]);
  });

  it('refuses an unknown target, and one that is gone', async () => {
    await expect(world.connect({ database: 'nowhere', claims: { aud: 'nowhere' } })).rejects.toMatchObject({
      routine: 'target.unknown',
      code: '3D000',
    });
    await expect(world.connect({ database: 'gone', claims: { aud: 'gone' } })).rejects.toMatchObject({
      routine: 'target.unavailable',
    });
  });

  it('stops the next action of a running session when its token expires', async () => {
    const client = await world.connect({ claims: { iat: now() - 890, exp: now() + 1 } });
    await client.query('SELECT 1');
    await waitUntil(async () => {
      const outcome = await client.query('SELECT 1').then(
        () => null,
        (error: pg.DatabaseError) => error,
      );
      if (outcome === null) return false;
      expect(outcome).toMatchObject({ routine: 'auth.token_expired', severity: 'FATAL' });
      return true;
    });
    const ended = (await world.events()).filter((event) => event.type === 'countersign.session.ended.v1');
    expect(ended.at(-1)?.data).toMatchObject({ reason: 'token-expired' });
  });

  it('stops the next action of a running session when its grant ends', async () => {
    world.approval.grants.set('grant-2', 2);
    const client = await world.connect({ claims: { grant: 'grant-2' } });
    await client.query('SELECT 1');
    world.approval.endGrant('grant-2');
    await waitUntil(async () => {
      const outcome = await client.query('SELECT 1').then(
        () => null,
        (error: pg.DatabaseError) => error,
      );
      if (outcome === null) return false;
      expect(outcome).toMatchObject({ routine: 'grant.revoked', severity: 'FATAL' });
      return true;
    });
    const decided = (await world.events())
      .filter((event) => event.type === 'countersign.action.decided.v1')
      .at(-1);
    expect(decided?.data).toMatchObject({
      verdict: 'deny',
      stage: 'gate',
      refusal: 'grant.revoked',
      decision: null,
    });
  });

  it('publishes every refused connection, and counts a flood', async () => {
    const refused = (): Promise<string> =>
      RawClient.open(world.port).then(async (client) => {
        client.startup({ user: 'agent-1', database: 'shop' });
        if ((await client.next())?.type === 'E') return 'early';
        client.message('p', 'no token at all');
        return codeOf((await client.until('none'))[0]);
      });
    const codes = new Set<string>();
    for (let count = 0; count < 60; count += 1) codes.add(await refused());
    expect([...codes]).toContain('early');
    const events = (await world.events()).filter((event) => event.type === 'countersign.session.refused.v1');
    const known = new Set(events.map((event) => (event.data as { code: string }).code));
    expect([...known]).toEqual(
      expect.arrayContaining([
        'protocol.malformed',
        'protocol.timeout',
        'auth.token_expired',
        'auth.token_invalid',
        'auth.token_missing',
        'target.unknown',
        'auth.too_many_attempts',
      ]),
    );
    expect(events.length).toBeLessThan(80);
  });
});
