import { readFile } from 'node:fs/promises';
import { type PostgresInstance, startPostgres } from '@countersign/testing';
import { connected } from './connected.js';

export const targetName = 'clinic';
/** The sample's HTTP service, as agents name it. */
export const apiName = 'clinic-api';
export const gatewayRole = 'countersign_gateway';

export interface Target {
  readonly instance: PostgresInstance;
  /** Rows of the sample. */
  readonly rows: number;
}

export interface TargetFiles {
  readonly sample: URL;
  /** Rights of the gateway's own role, as the ingress ships them. */
  readonly gatewayRole: URL;
}

async function load(url: string, sample: URL): Promise<number> {
  return connected(url, async (client) => {
    const found = await client.query("SELECT to_regclass('clinic.patients') AS there");
    if (found.rows[0]?.there === null) await client.query(await readFile(sample, 'utf8'));
    const counted = await client.query(
      `SELECT (SELECT count(*) FROM clinic.patients) + (SELECT count(*) FROM clinic.appointments)
            + (SELECT count(*) FROM clinic.invoices) + (SELECT count(*) FROM clinic.doctors) AS rows`,
    );
    return Number(counted.rows[0]?.rows);
  });
}

/**
 * Starts the sample target with a log of every statement (jsonlog: application name and text, as reconciliation reads
 * it), loads the sample once, and gives the gateway's role its few rights.
 */
export async function startTarget(
  folder: string,
  port: number,
  password: string,
  files: TargetFiles,
): Promise<Target> {
  const instance = await startPostgres({
    data: folder,
    port,
    settings: { log_statement: 'all', log_destination: 'jsonlog' },
  });
  await connected(instance.url(), async (client) => {
    const found = await client.query('SELECT 1 FROM pg_database WHERE datname = $1', [targetName]);
    if (found.rowCount === 0) await client.query(`CREATE DATABASE ${client.escapeIdentifier(targetName)}`);
  });
  const url = instance.url(targetName);
  const rows = await load(url, files.sample);
  await connected(url, async (client) => {
    await client.query(
      `SELECT set_config('countersign.role', $1, false), set_config('countersign.password', $2, false),
              set_config('countersign.schemas', $3, false)`,
      [gatewayRole, password, 'clinic'],
    );
    await client.query(await readFile(files.gatewayRole, 'utf8'));
  });
  return { instance, rows };
}
