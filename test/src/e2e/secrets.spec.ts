import { createPrivateKey } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { apiName, cast, serviceNames, tokenIssuer } from '@countersign/deploy';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { SignJWT } from 'jose';
import pg from 'pg';
import {
  clientOf,
  credentialsOf,
  type Ending,
  endingOf,
  everythingSaid,
  grantTo,
  type Haystack,
  httpAddressOf,
  type Installation,
  type Needle,
  search,
  startInstallation,
  tokenNeedles,
  tokenUnder,
} from './support/index.js';

interface Provocation {
  readonly name: string;
  readonly text: string;
  readonly parameters?: number;
}

/** A labelled column, the row that holds its seeded value, and the value. */
interface Seeded {
  readonly relation: string;
  readonly column: string;
  readonly id: number;
  readonly value: string;
}

const provocations = JSON.parse(
  readFileSync(new URL('../../cases/provocations.json', import.meta.url), 'utf8'),
) as readonly Provocation[];
const { labels } = JSON.parse(
  readFileSync(new URL('../../../deploy/sample/labels.json', import.meta.url), 'utf8'),
) as { readonly labels: Readonly<Record<string, string>> };

/** The row of each relation whose labelled columns hold what cannot occur by chance. */
const seededRows: Readonly<Record<string, number>> = {
  'clinic.doctors': 41,
  'clinic.patients': 4001,
  'clinic.invoices': 6001,
};

const roles = [
  { agent: 'analyst', role: 'reader' },
  { agent: 'analyst', role: 'analyst' },
  { agent: 'operator', role: 'operator' },
] as const;

let installation: Installation;
let seeded: readonly Seeded[] = [];
const credentials: Needle[] = [];
const endings = new Map<string, Ending[]>();
/** Statuses that the HTTP target's requests were answered with. */
const answered = new Set<number>();

async function seededValues(): Promise<readonly Seeded[]> {
  const owner = new pg.Client({ connectionString: installation.deployment.target.instance.url('clinic') });
  await owner.connect();
  try {
    const found: Seeded[] = [];
    for (const name of Object.keys(labels)) {
      const [, relation = '', column = ''] = /^(.*)\.([^.]+)$/.exec(name) ?? [];
      const id = seededRows[relation] ?? 0;
      const { rows } = await owner.query<{ value: string }>(
        `SELECT ${column}::text AS value FROM ${relation} WHERE id = $1`,
        [id],
      );
      found.push({ relation, column, id, value: rows[0]?.value ?? '' });
    }
    return found;
  } finally {
    await owner.end();
  }
}

function filled(text: string, { relation, column, id, value }: Seeded): string {
  const parts: Readonly<Record<string, string>> = {
    relation,
    column,
    value,
    id: String(id),
    plain: relation.split('.')[1] ?? '',
  };
  return text.replaceAll(/\{(\w+)\}/g, (_, name: string) => parts[name] ?? '');
}

/** Everything that a value is sent as, in one role. */
async function provoke(role: (typeof roles)[number]): Promise<void> {
  const { deployment } = installation;
  const token = await tokenUnder(deployment, role.agent, await grantTo(deployment, role));
  credentials.push(...tokenNeedles(`token of ${role.role}`, token));
  const client = clientOf(deployment, { user: cast[role.agent].id, password: token });
  await client.connect();
  const heard = endings.get(role.role) ?? [];
  endings.set(role.role, heard);
  for (const one of seeded) {
    for (const { text, parameters = 0 } of provocations) {
      const values = Array.from({ length: parameters }, () => one.value);
      const statement = filled(text, one);
      const asked = parameters === 0 ? client.query(statement) : client.query(statement, values);
      heard.push(await endingOf(statement, asked));
    }
    // As the name of a prepared statement, and in a transaction.
    heard.push(
      await endingOf('a name', client.query({ name: one.value, text: 'SELECT $1::text', values: [''] })),
    );
    for (const text of [
      'BEGIN',
      `SAVEPOINT "${one.value}"`,
      `ROLLBACK TO SAVEPOINT "${one.value}"`,
      'ROLLBACK',
    ]) {
      heard.push(await endingOf(text, client.query(text)));
    }
  }
  await client.end();
}

/** In place of what opens a connection. */
async function provokeConnections(token: string): Promise<void> {
  const { deployment } = installation;
  for (const { value } of seeded) {
    const wrong = [
      { user: value },
      { database: value },
      { password: value },
      { user: value, password: value },
    ];
    for (const one of wrong) {
      const client = clientOf(deployment, { password: token, ...one });
      expect(
        await endingOf(
          'connect',
          client.connect().then(() => ({})),
        ),
      ).toMatchObject({ kind: 'refused' });
    }
    const named = new pg.Client({
      host: '127.0.0.1',
      port: deployment.ports.ingress,
      database: 'clinic',
      user: cast.analyst.id,
      password: token,
      application_name: value,
    });
    await named.connect();
    await named.query('SELECT 1');
    await named.end();
  }
}

/** Where HTTP takes something, with tokens where one is needed. */
async function provokeHttp(person: string, auditor: string): Promise<void> {
  const { approvalApi, evidenceApi } = installation.deployment;
  const post = (body: unknown): RequestInit => ({
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${person}` },
    body: JSON.stringify(body),
  });
  for (const { value } of seeded) {
    const url = encodeURIComponent(value);
    const form = new URLSearchParams({
      grant_type: value,
      client_assertion_type: value,
      client_assertion: value,
      audience: value,
      client_id: value,
    });
    const asked: readonly (readonly [string, string, RequestInit?])[] = [
      [approvalApi, `/${url}`],
      [approvalApi, `/v1/approvals?status=${url}`, { headers: { authorization: `Bearer ${person}` } }],
      [approvalApi, `/v1/approvals/${url}/statement`, { headers: { authorization: `Bearer ${person}` } }],
      [approvalApi, '/v1/grants', post({ agent: value, role: value, target: value })],
      [
        approvalApi,
        '/v1/principals',
        post({ id: value, kind: value, roles: [value], publicKey: { x: value } }),
      ],
      [approvalApi, '/v1/grants', { headers: { authorization: `Bearer ${url}` } }],
      [approvalApi, '/oauth/token', { method: 'POST', body: form }],
      [evidenceApi, `/${url}`],
      [evidenceApi, `/v1/records/${url}`, { headers: { authorization: `Bearer ${auditor}` } }],
      [evidenceApi, `/v1/records?cursor=${url}`, { headers: { authorization: `Bearer ${auditor}` } }],
      [evidenceApi, `/v1/records?control=${url}`, { headers: { authorization: `Bearer ${auditor}` } }],
      [evidenceApi, `/v1/records?agent=${url}`, { headers: { authorization: `Bearer ${auditor}` } }],
      [evidenceApi, `/tile/${url}`, { headers: { authorization: `Bearer ${auditor}` } }],
      [evidenceApi, '/v1/records', { headers: { authorization: `Basic ${url}` } }],
    ];
    for (const [base, path, init] of asked) {
      const headers = {
        'x-correlation-id': url,
        'user-agent': url,
        referer: `http://x/${url}`,
        ...init?.headers,
      };
      await (await fetch(new URL(path, base), { ...init, headers })).text();
    }
  }
  for (const service of serviceNames) {
    const base = await httpAddressOf(installation, service);
    for (const { value } of seeded)
      await (await fetch(new URL(`/${encodeURIComponent(value)}`, base))).text();
  }
}

/** Wherever a request to an HTTP target holds something, with a token and in its place. */
async function provokeTarget(): Promise<void> {
  const { deployment } = installation;
  const token = await deployment.people.sessionToken('analyst', apiName);
  credentials.push(...tokenNeedles('token for the HTTP target', token));
  const base = `http://127.0.0.1:${deployment.ports.ingressHttp}`;
  const authorization = `Bearer ${token}`;
  for (const { value } of seeded) {
    const url = encodeURIComponent(value);
    const json = { 'content-type': 'application/json', authorization };
    const asked: readonly (readonly [string, RequestInit])[] = [
      [`/${apiName}/v1/appointments?limit=1&doctor=${url}`, { headers: { authorization } }],
      [`/${apiName}/v1/appointments?${url}=${url}`, { headers: { authorization } }],
      [`/${apiName}/v1/appointments/${url}`, { headers: { authorization } }],
      [`/${apiName}/${url}`, { headers: { authorization } }],
      [`/${url}/v1/appointments`, { headers: { authorization } }],
      [`/${apiName}/v1/appointments?limit=1`, { headers: { authorization: `Bearer ${url}` } }],
      [`/${apiName}/v1/appointments?limit=1`, { headers: { authorization: `Basic ${url}` } }],
      [`/${apiName}/v1/appointments?limit=1`, { headers: { authorization, 'x-value': url, cookie: url } }],
      [
        `/${apiName}/v1/appointments`,
        { method: 'POST', headers: json, body: JSON.stringify({ [value]: value }) },
      ],
      [
        `/${apiName}/v1/appointments`,
        { method: 'DELETE', headers: json, body: JSON.stringify({ name: value }) },
      ],
    ];
    for (const [path, init] of asked) {
      const response = await fetch(new URL(path, base), init);
      await response.text();
      answered.add(response.status);
    }
  }
}

beforeAll(async () => {
  const limits = { holdSeconds: 0.2, refusedAttemptsPerMinute: 10_000 };
  installation = await startInstallation((service, settings) =>
    service === 'ingress-proxy' ? { ...settings, limits } : settings,
  );
  const { deployment } = installation;
  seeded = await seededValues();
  for (const role of roles) await provoke(role);
  const analyst = await deployment.people.sessionToken('analyst');
  const person = (await deployment.people.client('approver').token({ audience: 'countersign-approval' }))
    .token;
  const auditor = await deployment.people.evidenceToken('auditor');
  const assertion = await new SignJWT()
    .setProtectedHeader({ alg: 'EdDSA' })
    .setIssuer(cast.auditor.id)
    .setSubject(cast.auditor.id)
    .setAudience(tokenIssuer)
    .setJti('an-assertion-of-the-test')
    .setExpirationTime('60s')
    .sign(createPrivateKey(readFileSync(deployment.people.keyFile('auditor'))));
  const exchanged = await fetch(new URL('/oauth/token', deployment.approvalApi), {
    method: 'POST',
    body: new URLSearchParams({
      grant_type: 'client_credentials',
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      client_assertion: assertion,
      audience: 'countersign-evidence',
    }),
  });
  const { access_token: proven } = (await exchanged.json()) as { access_token: string };
  credentials.push(
    ...tokenNeedles('session token', analyst),
    ...tokenNeedles('token of a person', person),
    ...tokenNeedles('token of the auditor', auditor),
    ...tokenNeedles('token for an assertion', proven),
    ...tokenNeedles('client assertion', assertion),
    ...(await credentialsOf(installation)),
  );
  await provokeConnections(analyst);
  await provokeHttp(person, auditor);
  await provokeTarget();
}, 120_000);

afterAll(async () => {
  await installation?.stop();
}, 60_000);

describe('values and credentials', () => {
  let said: readonly Haystack[] = [];

  beforeAll(async () => {
    said = await everythingSaid(installation);
  }, 60_000);

  it('are sent in every role, in every way, and answered from the catalogue', () => {
    expect(seeded.map(({ relation, column }) => `${relation}.${column}`)).toEqual(Object.keys(labels));
    expect(seeded.filter(({ value }) => value.length < 10)).toEqual([]);
    const all = [...endings.values()].flat();
    expect(all.filter(({ kind }) => kind !== 'rows' && kind !== 'refused')).toEqual([]);
    const codes = new Set(all.filter(({ kind }) => kind === 'refused').map(({ code }) => code));
    // Each of these says something of its own about a statement, and must not say the value.
    expect([...codes]).toEqual(
      expect.arrayContaining([
        'approval.pending',
        'masking.not_understood',
        'masking.opaque_predicate',
        'masking.write_to_masked',
        'policy.denied',
        'statement.unparsable',
        'target.failed',
      ]),
    );
  });

  it('are sent to an HTTP target, in every place, and answered', () => {
    expect([...answered].sort()).toEqual(expect.arrayContaining([200, 400, 401, 403]));
  });

  it('are searched for in all that is said', () => {
    const kinds = new Set(said.map(({ name }) => name.split(':')[0]?.split(' ')[0]));
    expect([...kinds].sort()).toEqual(['event', 'evidence', 'log', 'metrics', 'recordings']);
    expect(said.filter(({ bytes }) => bytes.length > 0).length).toBeGreaterThan(30);
    // What is searched holds what was sent, in commitments: the agent is named, its statements are not.
    expect(search(said, [{ name: 'the agent', value: cast.analyst.id }])).not.toEqual([]);
  });

  it('are found nowhere', () => {
    const values = seeded.map(({ relation, column, value }) => ({ name: `${relation}.${column}`, value }));
    expect(search(said, [...values, ...credentials])).toEqual([]);
  });
});
