import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { EventEnvelope, EventType } from '@countersign/contracts';
import { openEventLog } from '@countersign/event-log';
import { createDeploymentAuthority, issueInstanceCertificate, parseEnvelope } from '@countersign/ledger';
import { type RpcServer, serveRpc } from '@countersign/rpc';
import {
  createHealth,
  createLogger,
  createMetrics,
  type Metrics,
  type RunningService,
} from '@countersign/service-kit';
import { type PostgresInstance, startPostgres, temporaryFolder } from '@countersign/testing';
import { exportJWK, generateKeyPair } from 'jose';
import pg from 'pg';
import { configuration } from '../configuration.js';
import { start } from '../service.module.js';
import { FakeApproval, ISSUER } from './fake-approval.server.js';
import { FakeMasking } from './fake-masking.server.js';
import { FakePolicy } from './fake-policy.server.js';
import { gatewayRoleScript } from './gateway-role.store.js';

export type AnyEvent = { [Type in EventType]: EventEnvelope<Type> }[EventType];

/** A target, a store, the three services as fakes over real sockets, and the real ingress before them. */
export interface World {
  readonly port: number;
  /** Where agents speak HTTP; 0 where no target does. */
  readonly httpPort: number;
  readonly postgres: PostgresInstance;
  /** Where the event log is: the same server as the target's, unless asked for otherwise. */
  readonly store: PostgresInstance;
  readonly masking: FakeMasking;
  readonly policy: FakePolicy;
  readonly approval: FakeApproval;
  readonly metrics: Metrics;
  readonly folder: string;
  /** What the ingress was configured with, for another one in a process of its own. */
  readonly settings: Readonly<Record<string, unknown>>;
  /** Files of another instance's identity, and a certificate for TLS on localhost. */
  identityOf(
    instance: string,
  ): Promise<{ readonly certificateFile: string; readonly privateKeyFile: string }>;
  readonly authorityPem: string;
  readonly servers: { policy: RpcServer; masking: RpcServer; approval: RpcServer };
  /** Opens sealed secrets. */
  readonly recipientPrivateKey: CryptoKey;
  /** A superuser at the target. */
  readonly owner: pg.Client;
  /** Everything that the ingress has published so far. */
  events(): Promise<readonly AnyEvent[]>;
  connect(options?: ConnectOptions): Promise<pg.Client>;
  serve(name: 'policy' | 'masking' | 'approval'): Promise<void>;
  stop(): Promise<void>;
}

type CryptoKey = Awaited<ReturnType<typeof generateKeyPair>>['privateKey'];

export interface ConnectOptions {
  readonly claims?: Readonly<Record<string, unknown>>;
  readonly user?: string;
  readonly database?: string;
  readonly password?: string;
  readonly port?: number;
}

const SAMPLE = `
  CREATE SCHEMA shop;
  CREATE TABLE shop.customers (
    id int PRIMARY KEY, email text NOT NULL UNIQUE, full_name text NOT NULL, city text,
    points int NOT NULL DEFAULT 0 CONSTRAINT points_not_negative CHECK (points >= 0));
  INSERT INTO shop.customers
    SELECT n, 'person' || n || '@example.com', 'Sample Person ' || n, 'City ' || n % 7, n FROM generate_series(1, 500) n;
  CREATE TABLE shop.events (id bigserial PRIMARY KEY, kind text NOT NULL);
  INSERT INTO shop.events (kind) SELECT 'kind ' || n FROM generate_series(1, 20) n;
  CREATE FUNCTION shop.noisy() RETURNS int LANGUAGE plpgsql AS $$
    BEGIN RAISE NOTICE 'person1@example.com'; RETURN 1; END $$;
`;

export interface WorldOptions {
  /** Over the settings of the ingress. */
  readonly settings?: Readonly<Record<string, unknown>>;
  /** A server of its own for the event log, so that it can be killed alone. */
  readonly ownStore?: boolean;
  /** Targets beside those that are there. */
  readonly targets?: (file: (name: string, text: string) => string) => readonly unknown[];
  /** TLS for agents. */
  readonly tls?: boolean;
}

export async function startWorld(options: WorldOptions = {}): Promise<World> {
  const temporary = await temporaryFolder();
  const folder = temporary.path;
  const postgres = await startPostgres({
    settings: { log_statement: 'all', log_destination: 'jsonlog', max_connections: '100' },
  });
  const store = options.ownStore === true ? await startPostgres() : postgres;
  const owner = new pg.Client(postgres.url());
  owner.on('error', () => undefined);
  await owner.connect();
  await inDatabase(store.url(), 'CREATE DATABASE countersign');
  await owner.query(SAMPLE);
  await owner.query(
    `SELECT set_config('countersign.role', 'countersign_gateway', false),
            set_config('countersign.password', 'gateway password', false),
            set_config('countersign.schemas', 'shop', false)`,
  );
  await owner.query(gatewayRoleScript());

  const fakes = { masking: new FakeMasking(), policy: new FakePolicy(), approval: new FakeApproval() };
  fakes.approval.grants.set('grant-1', 2);
  const address = (name: string): string => `unix:${join(folder, `${name}.sock`)}`;
  const serve = (name: 'policy' | 'masking' | 'approval'): Promise<RpcServer> =>
    serveRpc({ address: address(name), services: [fakes[name].registration] });
  const servers = {
    policy: await serve('policy'),
    masking: await serve('masking'),
    approval: await serve('approval'),
  };

  const file = (name: string, text: string): string => {
    const path = join(folder, name);
    writeFileSync(path, text);
    return path;
  };
  const authority = await createDeploymentAuthority('Countersign test authority', new Date());
  const identityOf = async (
    instance: string,
  ): Promise<{ readonly certificateFile: string; readonly privateKeyFile: string }> => {
    const identity = await issueInstanceCertificate(authority, {
      service: 'ingress-proxy',
      instance,
      dnsNames: ['localhost'],
      now: new Date(),
    });
    return {
      certificateFile: file(`${instance}.pem`, identity.certificatePem),
      privateKeyFile: file(`${instance}.key`, identity.privateKeyPem),
    };
  };
  const recipient = await generateKeyPair('ECDH-ES+A256KW', { crv: 'X25519', extractable: true });
  const settings = {
    instance: 'ingress-1',
    logLevel: process.env.INGRESS_TEST_LOG ?? 'fatal',
    eventLog: store.url('countersign'),
    identity: await identityOf('ingress-1'),
    ...(options.tls === true
      ? { listen: { postgresql: { host: '0.0.0.0', tls: await identityOf('tls') } } }
      : {}),
    targets: [
      {
        name: 'shop',
        host: postgres.host,
        port: postgres.port,
        database: 'postgres',
        user: 'countersign_gateway',
        password: { file: file('gateway.password', 'gateway password\n') },
        schemas: ['shop'],
      },
      { name: 'gone', host: '127.0.0.1', port: 1, database: 'postgres', user: 'x', schemas: ['shop'] },
      ...(options.targets?.(file) ?? []),
    ],
    services: {
      policy: { address: address('policy'), deadlineMilliseconds: 1500 },
      masking: { address: address('masking'), deadlineMilliseconds: 1500 },
      approval: { address: address('approval'), deadlineMilliseconds: 1500 },
    },
    recording: {
      directory: join(folder, 'recordings'),
      recipientKeyFile: file('recipient.jwk', JSON.stringify(await exportJWK(recipient.publicKey))),
    },
    tokens: { issuer: ISSUER },
    ...options.settings,
  };
  const configured = configuration.parse(settings);
  const stopping = new AbortController();
  const metrics = createMetrics('ingress-proxy');
  const addresses = new Map<string, string>();
  const service: RunningService = await start({
    name: 'ingress-proxy',
    configuration: configured,
    logger: createLogger('ingress-proxy', configured.logLevel),
    health: createHealth(),
    metrics,
    signal: stopping.signal,
    addresses,
  });
  const port = Number(addresses.get('postgresql')?.split(':').at(-1));
  const httpPort = Number(addresses.get('agents-http')?.split(':').at(-1) ?? 0);
  const { approval } = fakes;
  return {
    ...fakes,
    port,
    httpPort,
    postgres,
    store,
    metrics,
    folder,
    settings,
    identityOf,
    authorityPem: authority.certificatePem,
    servers,
    owner,
    recipientPrivateKey: recipient.privateKey,
    events: () => eventsIn(store.url('countersign')),
    async connect(options = {}) {
      const client = new pg.Client({
        host: '127.0.0.1',
        port: options.port ?? port,
        user: options.user ?? 'agent-1',
        database: options.database ?? 'shop',
        password: options.password ?? (await approval.token(options.claims)),
      });
      client.on('error', () => undefined);
      await client.connect();
      return client;
    },
    async serve(name) {
      servers[name] = await serve(name);
    },
    async stop() {
      stopping.abort();
      await service.stop();
      await Promise.all(Object.values(servers).map((server) => server.close(100)));
      await owner.end();
      if (store !== postgres) await store.stop();
      await postgres.stop();
      await temporary.remove();
    },
  };
}

async function inDatabase(url: string, statement: string): Promise<void> {
  const client = new pg.Client(url);
  await client.connect();
  await client.query(statement);
  await client.end();
}

/** How long nothing more has to come, and how long what is there may take to come; milliseconds. */
const QUIET = 300;
const PATIENCE = 20_000;

async function eventsIn(url: string): Promise<readonly AnyEvent[]> {
  const log = await openEventLog(url);
  const stop = new AbortController();
  const events: AnyEvent[] = [];
  const topic = 'countersign.ingress.v1';
  const last = await log.head(topic, '/ingress-proxy/ingress-1');
  // What is there already is read however slow the machine is; then a moment longer, for what others wrote.
  let idle = setTimeout(() => stop.abort(), last === null ? QUIET : PATIENCE);
  await log.subscribe({
    topics: [topic],
    from: new Map(),
    signal: stop.signal,
    async onBatch(records) {
      for (const record of records) {
        events.push(parseEnvelope(record.value) as AnyEvent);
        if (record.position !== last?.position || record.partition !== last.partition) continue;
        clearTimeout(idle);
        idle = setTimeout(() => stop.abort(), QUIET);
      }
    },
  });
  clearTimeout(idle);
  await log.close();
  return events;
}
