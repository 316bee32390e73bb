import { createEventLogSchema } from '@countersign/event-log';
import { type PostgresInstance, startPostgres } from '@countersign/testing';
import type pg from 'pg';
import { connected } from './connected.js';

/** Services, each with a login role of its own in the store. */
export const serviceNames = ['policy', 'masking', 'approval', 'evidence', 'ingress-proxy'] as const;
export type DeployedService = (typeof serviceNames)[number];

/** Owner of the event log: services only append and read. */
const eventLogOwner = 'event_log_owner';
const owners = { event_log: eventLogOwner, approval: 'approval', evidence: 'evidence' } as const;

/** Whoever watches the event log, by reading alone: the security operations centre. */
export const watcher = 'soc';

export const storeRoles = [eventLogOwner, ...serviceNames, watcher] as const;
export type StoreRole = (typeof storeRoles)[number];

export interface Store {
  readonly instance: PostgresInstance;
  /** Connection string of a service to a database. */
  url(role: StoreRole, database: keyof typeof owners): string;
}

async function ensureRole(client: pg.Client, role: string, password: string): Promise<void> {
  const found = await client.query('SELECT 1 FROM pg_roles WHERE rolname = $1', [role]);
  const verb = found.rowCount === 0 ? 'CREATE' : 'ALTER';
  // Utility statements take no parameters: the client library quotes.
  await client.query(
    `${verb} ROLE ${client.escapeIdentifier(role)} WITH LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS PASSWORD ${client.escapeLiteral(password)}`,
  );
}

async function ensureDatabase(client: pg.Client, database: string, owner: string): Promise<void> {
  const found = await client.query('SELECT 1 FROM pg_database WHERE datname = $1', [database]);
  if (found.rowCount !== 0) return;
  const name = client.escapeIdentifier(database);
  await client.query(`CREATE DATABASE ${name} OWNER ${client.escapeIdentifier(owner)}`);
  await client.query(`REVOKE ALL ON DATABASE ${name} FROM PUBLIC`);
}

/** Starts the services' store: durable, loopback only; a role for each service, who only appends to the event log. */
export async function startStore(
  folder: string,
  port: number,
  passwords: Readonly<Record<StoreRole, string>>,
): Promise<Store> {
  const instance = await startPostgres({ data: folder, port, settings: { max_connections: '200' } });
  const url: Store['url'] = (role, database) =>
    `postgres://${role}:${passwords[role]}@${instance.host}:${instance.port}/${database}`;
  await connected(instance.url(), async (client) => {
    for (const role of storeRoles) await ensureRole(client, role, passwords[role]);
    for (const [database, owner] of Object.entries(owners)) await ensureDatabase(client, database, owner);
    const users = [...serviceNames, watcher].map((role) => client.escapeIdentifier(role)).join(', ');
    await client.query(`GRANT CONNECT ON DATABASE event_log TO ${users}`);
  });
  await createEventLogSchema(url(eventLogOwner, 'event_log'), { append: serviceNames, read: [watcher] });
  return { instance, url };
}
