import { readFileSync } from 'node:fs';
import { commitmentOf } from '@countersign/contracts';
import { waitUntil } from '@countersign/testing';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Agent, request } from 'undici';
import { saltOf } from './gate/index.js';
import {
  type AnyEvent,
  rawExchange,
  secretOf,
  startWorld,
  TestUpstream,
  type World,
} from './testing/index.js';

let upstream: TestUpstream;
let world: World;
let agent: Agent;
let token: string;

const read = { object: 'clinic.patients', verbs: ['read'] };
const json = ['application/json'];
const operations = [
  {
    ...read,
    operation: 'GET /patients',
    query: { limit: null },
    rows: '/items',
    labels: {
      '/items/*/name': 'person.name',
      '/items/*/email': 'contact.email',
      '/items/*/phone': 'contact.phone',
      '/items/*/born': 'person.birth_date',
    },
  },
  { ...read, operation: 'GET /plain/{name}', query: { a: null, b: null } },
  { object: 'clinic.notes', operation: 'POST /notes', verbs: ['insert'], body: json },
  {
    object: 'clinic.notes',
    operation: 'DELETE /notes',
    verbs: ['delete'],
    risks: ['unbounded-write'],
    body: json,
  },
];

beforeAll(async () => {
  upstream = await TestUpstream.start();
  world = await startWorld({
    settings: {
      limits: { statementBytes: 64 * 1024, targetMessageBytes: 64 * 1024, targetAnswerBytes: 1024 * 1024 },
    },
    targets: (file) => [
      {
        name: 'api',
        protocol: 'http',
        url: `http://127.0.0.1:${upstream.port}/base/`,
        credential: {
          header: 'x-api-key',
          scheme: '',
          secret: { file: file('api.key', 'key of the gateway\n') },
        },
        responseHeaders: ['x-extra'],
        operations,
      },
      { name: 'dead', protocol: 'http', url: 'http://127.0.0.1:1', operations },
    ],
  });
  token = await world.approval.token({ aud: 'api' });
});

afterAll(async () => {
  await agent?.close();
  await world?.stop();
  await upstream?.stop();
});

beforeEach(async () => {
  await agent?.close();
  agent = new Agent({ connections: 4 });
  upstream.seen.length = 0;
});

interface Asked {
  readonly method?: string;
  readonly target?: string;
  readonly headers?: Record<string, string>;
  readonly body?: string | Buffer;
}

async function ask(path: string, { method = 'GET', target = 'api', headers = {}, body }: Asked = {}) {
  const response = await request(`http://127.0.0.1:${world.httpPort}/${target}${path}`, {
    method,
    dispatcher: agent,
    headers: { authorization: `Bearer ${token}`, ...headers },
    ...(body === undefined ? {} : { body }),
  });
  const text = await response.body.text();
  return { status: response.statusCode, headers: response.headers, text };
}

interface Problem {
  readonly code: string;
  readonly rules?: readonly string[];
  readonly action: string;
}
const problemOf = (text: string): Problem => JSON.parse(text) as Problem;

async function codeOf(path: string, asked: Asked = {}): Promise<string> {
  return problemOf((await ask(path, asked)).text).code;
}

type Data = Readonly<Record<string, unknown>>;
async function eventsOf(
  type: string,
  action?: string,
): Promise<readonly (AnyEvent & { readonly data: Data })[]> {
  const found = (await world.events()).filter(
    (event) =>
      event.type === `countersign.${type}.v1` &&
      (action === undefined || (event.data as unknown as Data).action === action),
  );
  return found as unknown as readonly (AnyEvent & { readonly data: Data })[];
}

const DOCUMENT =
  '{ "items": [ {"id": 12345678901234567890, "name": "Zyxquartz", "email": "a@b.c", "phone": "555 0142", "born": "1980-02-03", "n": 1.50},\n {"id": 2, "name": null, "email": null} ], "total": 2 }';

describe('a declared operation', () => {
  it('passes, masked where labels say so and to the byte elsewhere', async () => {
    upstream.on('/base/patients', (_, response) => {
      response.writeHead(200, {
        'content-type': 'application/json',
        etag: '"of the hidden"',
        'x-extra': '1',
      });
      response.end(DOCUMENT);
    });
    const { status, text, headers } = await ask('/patients?limit=2');
    expect(status).toBe(200);
    expect(text).toMatch(
      /^\{ "items": \[ \{"id": 12345678901234567890, "name": "\*\*\*", "email": "surrogate-/,
    );
    expect(text).toContain(
      '"phone": "***42", "born": "1980-01-01", "n": 1.50},\n {"id": 2, "name": null, "email": null} ], "total": 2 }',
    );
    expect([headers.etag, headers['x-extra'], headers['content-type']]).toEqual([
      undefined,
      undefined,
      'application/json',
    ]);
  });

  it('sends exactly what was decided, with the credential of the gateway alone', async () => {
    upstream.json('/base/notes', '{"ok":true}');
    const body = '{"text": "caf\u00e9",\n "n": 1.0}';
    await ask('/notes', {
      method: 'POST',
      body,
      headers: { 'content-type': 'application/json', cookie: 'a=b', 'x-other': '1', 'accept-language': 'de' },
    });
    const [seen] = upstream.seen;
    const headers = new Map<string, string>();
    for (let at = 0; at < (seen?.rawHeaders.length ?? 0); at += 2) {
      headers.set(seen?.rawHeaders[at]?.toLowerCase() ?? '', seen?.rawHeaders[at + 1] ?? '');
    }
    expect([seen?.method, seen?.url, seen?.body.toString()]).toEqual(['POST', '/base/notes', body]);
    expect(headers.get('x-api-key')).toBe('key of the gateway');
    expect([...headers.keys()].sort()).toEqual([
      'accept-encoding',
      'accept-language',
      'connection',
      'content-length',
      'content-type',
      'countersign-action',
      'host',
      'x-api-key',
    ]);
    expect(JSON.stringify(seen?.rawHeaders)).not.toContain(token);
    const action = headers.get('countersign-action') ?? '';
    const [decided] = await eventsOf('action.decided', action);
    expect(decided?.data).toMatchObject({ verdict: 'allow', verbs: ['insert'], objects: ['clinic.notes'] });
    const secret = await secretOf(world.folder, String(decided?.data.session), world.recipientPrivateKey);
    const head = [
      'POST /base/notes HTTP/1.1',
      'accept-encoding: identity',
      'accept-language: de',
      'content-type: application/json',
      `host: 127.0.0.1:${upstream.port}`,
      `content-length: ${Buffer.byteLength(body)}`,
    ].join('\r\n');
    const bytes = `${head}\r\n\r\n${body}`;
    expect(decided?.data.submitted).toBe(commitmentOf(saltOf(secret, action, 'submitted'), bytes));
    expect(decided?.data.running).toBe(commitmentOf(saltOf(secret, action, 'running'), bytes));
    await waitUntil(async () => (await eventsOf('action.completed', action)).length === 1);
    const [completed] = await eventsOf('action.completed', action);
    expect(completed?.data).toMatchObject({
      status: 'succeeded',
      rows: 1,
      released: commitmentOf(saltOf(secret, action, 'released'), '{"ok":true}'),
    });
  });

  it('belongs to the one session of its connection', async () => {
    upstream.json('/base/plain/one', '{}');
    await agent.close();
    agent = new Agent({ connections: 1 });
    const actions: string[] = [];
    for (let count = 0; count < 5; count += 1) {
      actions.push(String((await ask('/plain/one')).headers['countersign-action']));
    }
    const decided = await Promise.all(actions.map((action) => eventsOf('action.decided', action)));
    const ordinals = decided.flat().map(({ data }) => data.ordinal);
    expect(new Set(decided.flat().map(({ data }) => data.session)).size).toBe(1);
    expect(ordinals).toEqual([0, 1, 2, 3, 4]);
    const { session } = decided[0]?.[0]?.data ?? {};
    await agent.close();
    await waitUntil(async () =>
      (await eventsOf('session.ended')).some(
        ({ data }) => data.session === session && data.reason === 'client',
      ),
    );
    agent = new Agent();
  });

  it('answers what is pipelined in order, each as its own action', async () => {
    for (const name of ['one', 'two', 'three']) upstream.json(`/base/plain/${name}`, JSON.stringify(name));
    const line = (name: string, last = ''): string =>
      `GET /api/plain/${name} HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer ${token}\r\n${last}\r\n`;
    const answers = await rawExchange(
      world.httpPort,
      line('one') + line('two') + line('three', 'Connection: close\r\n'),
    );
    expect(answers.map(({ body }) => body)).toEqual(['"one"', '"two"', '"three"']);
  });

  it('streams what is not masked with back-pressure, and passes declared headers', async () => {
    const part = Buffer.alloc(64 * 1024, 'x');
    upstream.on('/base/plain/long', (_, response) => {
      response.writeHead(200, {
        'content-type': 'text/plain',
        'x-extra': 'e',
        'x-secret': 's',
        'set-cookie': 'a=b',
      });
      for (let count = 0; count < 15; count += 1) response.write(part);
      response.end();
    });
    const { text, headers, status } = await ask('/plain/long');
    expect([status, text.length, headers['x-extra'], headers['x-secret'], headers['set-cookie']]).toEqual([
      200,
      15 * 64 * 1024,
      'e',
      undefined,
      undefined,
    ]);
  });
});

describe('what is not declared', () => {
  it.each([
    ['another path', '/secrets', {}],
    ['another method', '/patients', { method: 'DELETE' }],
    ['another name in the query', '/patients?email=a', {}],
    [
      'a body of another kind',
      '/notes',
      { method: 'POST', body: 'x', headers: { 'content-type': 'text/plain' } },
    ],
    [
      'a body where there is none',
      '/plain/x',
      { body: '{}', headers: { 'content-type': 'application/json' } },
    ],
  ] as const)('is denied by policy: %s', async (_, path, asked) => {
    const { status, text, headers } = await ask(path, asked);
    expect([status, headers['content-type']]).toEqual([403, 'application/problem+json']);
    const problem = problemOf(text);
    expect(problem).toMatchObject({ code: 'policy.denied', rules: ['deny.unknown-object'] });
    const [decided] = await eventsOf('action.decided', problem.action);
    expect(decided?.data).toMatchObject({ verdict: 'deny', stage: 'policy', running: null });
    expect(upstream.seen).toEqual([]);
  });
});

interface RequestCase {
  readonly name: string;
  readonly bytes: string;
  readonly status: number;
  readonly code: string | null;
}
const requestCases = JSON.parse(
  readFileSync(new URL('../cases/http-requests.json', import.meta.url), 'utf8'),
) as readonly RequestCase[];

describe('bytes that could be read in more than one way', () => {
  it.each(requestCases)('are refused: $name', async ({ bytes, status, code }) => {
    const answers = await rawExchange(
      world.httpPort,
      Buffer.from(bytes.replaceAll('{token}', token), 'latin1'),
    );
    expect(answers.map((answer) => answer.status)).toEqual([status]);
    if (code !== null) expect(problemOf(answers[0]?.body ?? '').code).toBe(code);
    expect(upstream.seen).toEqual([]);
  });

  it('never bring a second request to the target, whatever they are', async () => {
    upstream.json('/base/notes', '{}');
    const pieces = [
      'POST /api/notes HTTP/1.1\r\n',
      'GET /api/plain/x HTTP/1.1\r\n',
      'Host: h\r\n',
      `Authorization: Bearer ${token}\r\n`,
      'Content-Length: 5\r\n',
      'Content-Length: 0\r\n',
      'Transfer-Encoding: chunked\r\n',
      'Content-Type: application/json\r\n',
      '\r\n',
      '\n',
      '\r',
      ' ',
      '0\r\n\r\n',
      '5\r\n',
      'hello',
      'Connection: close\r\n',
      '\0',
      ': ',
    ];
    const bytes = fc.array(fc.oneof(fc.constantFrom(...pieces), fc.string({ maxLength: 3 })), {
      maxLength: 14,
    });
    await fc.assert(
      fc.asyncProperty(bytes, async (parts) => {
        const before = upstream.seen.length;
        const text = parts.join('');
        const heads = text.split(/HTTP\/1\.1/).length - 1;
        const answers = await rawExchange(world.httpPort, Buffer.from(text), { halfClose: true });
        // Every request that reached the target was one that came with a head of its own and got its own answer.
        expect(upstream.seen.length - before).toBeLessThanOrEqual(Math.min(heads, answers.length));
      }),
      { numRuns: 150 },
    );
    expect((await ask('/notes', { method: 'POST' })).status).toBe(200);
  });
});

describe('who may not', () => {
  it.each([
    ['no token', {}, 401, 'auth.token_missing'],
    ['no Bearer', { authorization: 'Basic YTpi' }, 401, 'auth.token_missing'],
    ['no valid token', { authorization: 'Bearer a.b.c' }, 401, 'auth.token_invalid'],
  ])('hears so with %s', async (_, headers, status, code) => {
    const response = await request(`http://127.0.0.1:${world.httpPort}/api/plain/x`, {
      headers,
      dispatcher: agent,
    });
    expect([response.statusCode, response.headers['www-authenticate']]).toEqual([status, 'Bearer']);
    expect(problemOf(await response.body.text()).code).toBe(code);
    await waitUntil(async () => (await eventsOf('session.refused')).some(({ data }) => data.code === code));
  });

  it('hears so with a token of another target, or for a target that is not there', async () => {
    const other = { authorization: `Bearer ${await world.approval.token({ aud: 'shop' })}` };
    expect(await codeOf('/plain/x', { headers: other })).toBe('auth.token_wrong_target');
    expect(await codeOf('/plain/x', { target: 'nowhere' })).toBe('target.unknown');
    expect(await codeOf('/plain/x', { target: 'shop' })).toBe('target.unknown');
  });

  it('hears so when the grant ends, and the session ends with it', async () => {
    upstream.json('/base/plain/x', '{}');
    world.approval.grants.set('grant-9', 2);
    await agent.close();
    agent = new Agent({ connections: 1 });
    const headers = {
      authorization: `Bearer ${await world.approval.token({ aud: 'api', grant: 'grant-9' })}`,
    };
    expect((await ask('/plain/x', { headers })).status).toBe(200);
    world.approval.endGrant('grant-9');
    await waitUntil(async () => (await ask('/plain/x', { headers })).status === 403);
    await waitUntil(async () =>
      (await eventsOf('session.ended')).some(({ data }) => data.reason === 'grant-ended'),
    );
  });
});

describe('what needs an approval', () => {
  const clearing = {
    method: 'DELETE',
    body: '{"all":true}',
    headers: { 'content-type': 'application/json' },
  };

  it('is answered 202 with a place to look, runs once when it is submitted again, and is bound to every byte', async () => {
    upstream.json('/base/notes', '{"deleted":3}');
    const asked = await ask('/notes', clearing);
    expect([asked.status, problemOf(asked.text).code]).toEqual([202, 'approval.pending']);
    const place = String(asked.headers.location);
    const look = async (): Promise<unknown> => JSON.parse((await ask(place.replace('/api', ''))).text);
    expect(await look()).toMatchObject({ status: 'pending' });
    const id = place.split('/').at(-1) ?? '';
    const held = world.approval.approvals.find(({ approval }) => approval.id === id);
    expect(held?.statement).toContain('DELETE /base/notes HTTP/1.1\r\n');
    expect(held?.parameters.map(({ value }) => value.toString())).toEqual(['{"all":true}']);
    world.approval.answer(id, 'approved');
    expect(await look()).toMatchObject({ status: 'approved' });
    const other = await ask('/notes', { ...clearing, body: '{"all":true }' });
    expect(other.status).toBe(202);
    expect(other.headers.location).not.toBe(place);
    expect(upstream.seen).toEqual([]);
    const ran = await ask('/notes', clearing);
    expect([ran.status, ran.text]).toEqual([200, '{"deleted":3}']);
    expect((await ask('/notes', clearing)).status).toBe(202);
    expect(upstream.seen.map(({ body }) => body.toString())).toEqual(['{"all":true}']);
  });

  it('waits as long as the agent prefers', async () => {
    upstream.json('/base/notes', '{"deleted":3}');
    const body = '{"all":"waited for"}';
    const before = world.approval.approvals.length;
    const asked = ask('/notes', { ...clearing, body, headers: { ...clearing.headers, prefer: 'wait=60' } });
    await waitUntil(() => world.approval.approvals.length > before);
    world.approval.answer(world.approval.approvals.at(-1)?.approval.id ?? '', 'approved');
    expect((await asked).status).toBe(200);
  });

  it('is not shown to whoever was not told of it', async () => {
    expect(await codeOf('/.countersign/approvals/018f-unknown')).toBe('approval.unknown');
  });
});

describe('an answer of the target', () => {
  it.each([
    ['a page', 'text/html', '<html>Zyxquartz</html>', {}],
    ['what is no JSON', 'application/json', '{"items": [Zyxquartz', {}],
    ['what is compressed', 'application/json', '{}', { 'content-encoding': 'gzip' }],
    ['JSON in another character set', 'application/json; charset=utf-16', '{}', {}],
  ])('that cannot be masked is not released: %s', async (_, type, text, headers) => {
    upstream.on('/base/patients', (__, response) => {
      response.writeHead(200, { 'content-type': type, ...headers }).end(text);
    });
    const answer = await ask('/patients');
    expect([answer.status, problemOf(answer.text).code]).toEqual([502, 'http.unmaskable']);
    expect(answer.text).not.toContain('Zyxquartz');
  });

  it.each([
    [404, 404],
    [500, 500],
    [302, 502],
    [304, 502],
  ])('of status %i tells its status alone', async (status, told) => {
    upstream.on('/base/patients', (_, response) => {
      response.writeHead(status, { location: 'http://other/zyxquartz', 'x-extra': 'zyxquartz' });
      response.end(status === 304 ? undefined : '{"error":"zyxquartz"}');
    });
    const answer = await ask('/patients');
    expect([answer.status, problemOf(answer.text).code]).toEqual([told, 'target.failed']);
    expect(JSON.stringify(answer)).not.toContain('zyxquartz');
  });

  it('with more rows or bytes than are allowed is not released', async () => {
    upstream.json('/base/patients', JSON.stringify({ items: [1, 2, 3, 4] }));
    const limited = {
      authorization: `Bearer ${await world.approval.token({ aud: 'api', role: 'limited' })}`,
    };
    expect(await codeOf('/patients', { headers: limited })).toBe('release.row_limit');
    upstream.json('/base/patients', JSON.stringify({ items: ['x'.repeat(70_000)] }));
    expect(await codeOf('/patients')).toBe('protocol.too_large');
  });

  it('that passes through is cut where it is too long', async () => {
    upstream.on('/base/plain/endless', (_, response) => {
      const more = (): void => {
        while (!response.destroyed && response.write(Buffer.alloc(64 * 1024)));
        if (!response.destroyed) response.once('drain', more);
      };
      more();
    });
    await expect(ask('/plain/endless')).rejects.toThrow();
    await waitUntil(async () =>
      (await eventsOf('action.completed')).some(
        ({ data }) => data.error === 'protocol.too_large' && data.bytes !== 0,
      ),
    );
  });

  it('that does not come in time is not waited for, and its outcome is unknown', async () => {
    upstream.on('/base/plain/late', () => undefined);
    const headers = { authorization: `Bearer ${await world.approval.token({ aud: 'api', role: 'timed' })}` };
    const { status, text } = await ask('/plain/late', { headers });
    expect([status, problemOf(text).code]).toEqual([408, 'release.time_limit']);
    const { action } = problemOf(text);
    await waitUntil(async () => (await eventsOf('action.completed', action)).length === 1);
    expect((await eventsOf('action.completed', action))[0]?.data.status).toBe('unknown');
  });

  it('that breaks off is told from one that was never asked', async () => {
    upstream.on('/base/plain/broken', (_, response) => response.destroy());
    expect(await codeOf('/plain/broken')).toBe('target.connection_lost');
    const dead = { authorization: `Bearer ${await world.approval.token({ aud: 'dead' })}` };
    expect(await codeOf('/plain/x', { target: 'dead', headers: dead })).toBe('target.unavailable');
  });

  it('to an agent that left is not waited for', async () => {
    const asked = Promise.withResolvers<void>();
    upstream.on('/base/plain/slow', () => asked.resolve());
    const leaving = new AbortController();
    const going = request(`http://127.0.0.1:${world.httpPort}/api/plain/slow`, {
      headers: { authorization: `Bearer ${token}` },
      dispatcher: agent,
      signal: leaving.signal,
    });
    going.catch(() => undefined);
    await asked.promise;
    leaving.abort();
    await waitUntil(async () =>
      (await eventsOf('action.completed')).some(
        ({ data }) => data.error === 'rpc.cancelled' && data.status === 'unknown',
      ),
    );
  });
});
