import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type AgentPart, cast, gatewayRole, serviceNames, targetName } from '@countersign/deploy';
import pg from 'pg';
import type { Installation } from '../e2e/support/index.js';
import type { ProcessGroups } from './cpu.store.js';
import { EvidenceMeter } from './evidence-meter.client.js';
import { type GatewayKind, gatewayKinds } from './gateways.driver.js';
import type { Login } from './load/index.js';
import { type Relay, startRelay } from './relay.driver.js';

/** A running gateway and what it is measured with. */
export interface Gateway {
  readonly kind: GatewayKind;
  readonly installation: Installation;
  readonly meter: EvidenceMeter;
}

/** Everything that takes part, started once for all workloads. */
export interface Stage {
  readonly gateways: readonly Gateway[];
  readonly relay: Relay;
  /** How to sign in to the target itself, as the gateway does. */
  readonly target: Login;
  readonly settings: Readonly<Record<string, string>>;
  stop(): Promise<void>;
}

/** How an agent signs in to a gateway. */
export async function agentLogin({ installation }: Gateway, part: AgentPart): Promise<Login> {
  const { deployment } = installation;
  const password = await deployment.people.sessionToken(part);
  return {
    host: '127.0.0.1',
    port: deployment.ports.ingress,
    user: cast[part].id,
    password,
    database: targetName,
  };
}

async function postmasterOf(installation: Installation, server: 'store' | 'target'): Promise<number> {
  const text = await readFile(join(installation.data, server, 'postmaster.pid'), 'utf8');
  return Number(text.split('\n')[0]);
}

/** Processes whose CPU time is told: servers with their children, services, the relay. */
export async function groupsOf(installation: Installation, relay: Relay): Promise<ProcessGroups> {
  const { services } = installation.deployment;
  return new Map([
    ['target', { pid: await postmasterOf(installation, 'target'), children: true }],
    ['store', { pid: await postmasterOf(installation, 'store'), children: true }],
    ['relay', { pid: relay.pid, children: false }],
    ...serviceNames.map((name) => [name, { pid: services.get(name)?.pid ?? 0, children: false }] as const),
  ]);
}

async function settingsOf(url: string, names: readonly string[]): Promise<Record<string, string>> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const { rows } = await client.query<{ name: string; setting: string }>(
      'SELECT name, current_setting(name) AS setting FROM unnest($1::text[]) AS name',
      [names],
    );
    return Object.fromEntries(rows.map(({ name, setting }) => [name, setting]));
  } finally {
    await client.end();
  }
}

const shown = [
  'server_version',
  'fsync',
  'synchronous_commit',
  'full_page_writes',
  'wal_sync_method',
  'shared_buffers',
];

/** Throws where a server could answer before its disk has what it acknowledges. */
async function demandDurable(installation: Installation): Promise<Record<string, string>> {
  const { store, target } = installation.deployment;
  const found: Record<string, string> = {};
  for (const [name, url] of [
    ['store', store.instance.url('event_log')],
    ['target', target.instance.url(targetName)],
  ] as const) {
    const settings = await settingsOf(url, shown);
    if (settings.fsync !== 'on' || settings.synchronous_commit !== 'on') {
      throw new Error(
        `The ${name} is not durable: fsync ${settings.fsync}, synchronous_commit ${settings.synchronous_commit}.`,
      );
    }
    for (const [key, value] of Object.entries(settings)) found[`${name}: ${key}`] = value;
  }
  return found;
}

/** The sample's target logs every statement, which would weigh on all ways alike and blur the comparison. */
async function quieten({ deployment }: Installation): Promise<void> {
  const client = new pg.Client({ connectionString: deployment.target.instance.url(targetName) });
  await client.connect();
  await client.query(`ALTER DATABASE ${client.escapeIdentifier(targetName)} SET log_statement = 'none'`);
  await client.end();
}

export async function startStage(): Promise<Stage> {
  const stops: (() => Promise<void>)[] = [];
  const stop = async (): Promise<void> => {
    for (const end of stops.splice(0).reverse()) await end();
  };
  try {
    const gateways: Gateway[] = [];
    let settings: Record<string, string> = {};
    for (const kind of gatewayKinds) {
      const installation = await kind.start();
      stops.push(() => installation.stop());
      await quieten(installation);
      settings = { ...settings, ...(await demandDurable(installation)) };
      const meter = await EvidenceMeter.open(installation);
      stops.push(() => meter.close());
      gateways.push({ kind, installation, meter });
    }
    const [first] = gateways;
    if (first === undefined) throw new Error('There is no gateway to measure.');
    const { instance } = first.installation.deployment.target;
    const password = await first.installation.deployment.secrets.password('target');
    const relay = await startRelay(instance.host, instance.port);
    stops.push(() => relay.stop());
    const target: Login = {
      host: instance.host,
      port: instance.port,
      user: gatewayRole,
      password,
      database: targetName,
    };
    return { gateways, relay, target, settings: { ...settings, 'target: log_statement': 'none' }, stop };
  } catch (error) {
    await stop().catch(() => undefined);
    throw error;
  }
}
