import { createDeploymentAuthority, issueInstanceCertificate } from '@countersign/ledger';
import { type PostgresInstance, startPostgres, waitUntil } from '@countersign/testing';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { backendTypes, decodeDataRow, decodeReport, toTarget } from '../codec/index.js';
import { TargetConnection, type TargetLogin } from './connection.client.js';

let secured: PostgresInstance;
let plain: PostgresInstance;
let owner: pg.Client;
let trusted: Awaited<ReturnType<typeof createDeploymentAuthority>>;
let stranger: typeof trusted;

beforeAll(async () => {
  [secured, plain] = await Promise.all([startPostgres(), startPostgres()]);
  owner = new pg.Client(secured.url());
  await owner.connect();
  trusted = await createDeploymentAuthority('Authority of the target', new Date());
  stranger = await createDeploymentAuthority('Authority of a stranger', new Date());
  await present(new Date());
});

afterAll(async () => {
  await owner?.end();
  await secured?.stop();
  await plain?.stop();
});

/** Has the target present a certificate for `db.example` that was issued at `now`. */
async function present(now: Date): Promise<void> {
  const { certificatePem, privateKeyPem } = await issueInstanceCertificate(trusted, {
    service: 'ingress-proxy',
    instance: 'target',
    dnsNames: ['db.example'],
    now,
  });
  // The server writes its own files, so that it owns them as it demands.
  const written = async (file: string, text: string): Promise<void> => {
    await owner.query(`COPY (SELECT unnest(string_to_array('${text.trim()}', E'\\n')))
                         TO PROGRAM 'umask 077 && cat > ${file}'`);
  };
  await written('server.crt', certificatePem);
  await written('server.key', privateKeyPem);
  await owner.query('ALTER SYSTEM SET ssl = on');
  await owner.query('SELECT pg_reload_conf()');
  await waitUntil(async () => (await owner.query('SHOW ssl')).rows[0].ssl === 'on');
}

function loginOf(postgres: PostgresInstance, tls: TargetLogin['tls']): TargetLogin {
  const { host, port, user, password } = postgres;
  return { host, port, user, password, tls, database: 'postgres', settings: {} };
}

const limits = { connectMilliseconds: 5_000, maximumMessage: 1_000_000 };
const verified = (): NonNullable<TargetLogin['tls']> => ({
  authority: trusted.certificatePem,
  serverName: 'db.example',
});

/** Why no connection came about: its code, and the reason for the log. */
async function refusal(login: TargetLogin): Promise<readonly [string, string]> {
  try {
    (await TargetConnection.open(login, limits)).close();
    return ['it worked', ''];
  } catch (thrown) {
    const { code, cause } = thrown as { readonly code: string; readonly cause: Error };
    const inner = cause.cause instanceof Error ? cause.cause : cause;
    return [code, inner.message];
  }
}

async function asked(connection: TargetConnection, text: string): Promise<string> {
  let answer = '';
  const messages = [toTarget.parse(text, []), toTarget.bind([]), toTarget.execute, toTarget.sync];
  await connection.exchange(Buffer.concat(messages), {
    onFrame: (frame) => {
      if (frame.type === backendTypes.dataRow) answer = decodeDataRow(frame)[0]?.toString() ?? '';
      if (frame.type === backendTypes.error) answer = decodeReport(frame).sqlstate;
    },
    onTurn: () => null,
  });
  return answer;
}

describe('TLS to a target', () => {
  it('encrypts what is asked, and cancellations', async () => {
    const connection = await TargetConnection.open(loginOf(secured, verified()), limits);
    const mine = 'SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()';
    expect(await asked(connection, mine)).toBe('t');
    const sleeping = asked(connection, 'SELECT pg_sleep(60)');
    await waitUntil(async () => {
      const { rows } = await owner.query("SELECT 1 FROM pg_stat_activity WHERE wait_event = 'PgSleep'");
      return rows.length === 1;
    });
    await connection.cancel();
    expect(await sleeping).toBe('57014');
    connection.close();
  });

  it('refuses a certificate of another authority, or of none that the system trusts', async () => {
    const other = { ...verified(), authority: stranger.certificatePem };
    const [code, reason] = await refusal(loginOf(secured, other));
    expect([code, reason]).toEqual(['target.unavailable', expect.stringMatching(/certificate|signature/)]);
    const [system] = await refusal(loginOf(secured, { ...verified(), authority: null }));
    expect(system).toBe('target.unavailable');
  });

  it.each(['other.example', '127.0.0.1', 'localhost'])(
    'refuses the certificate where it is to name %s',
    async (name) => {
      const [code, reason] = await refusal(loginOf(secured, { ...verified(), serverName: name }));
      expect([code, reason]).toEqual(['target.unavailable', expect.stringContaining('does not match')]);
    },
  );

  it('refuses a target that speaks none, before a password is sent', async () => {
    expect(await refusal(loginOf(plain, verified()))).toEqual([
      'target.unavailable',
      'The target speaks no TLS.',
    ]);
  });

  it('refuses a certificate that has expired', async () => {
    await present(new Date(Date.now() - 20 * 365 * 86_400_000));
    await waitUntil(async () => {
      const [code, reason] = await refusal(loginOf(secured, verified()));
      return code === 'target.unavailable' && /expired/.test(reason);
    });
    await present(new Date());
    await waitUntil(async () => (await refusal(loginOf(secured, verified())))[0] === 'it worked');
  });
});
