import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type ServiceName, topics } from '@countersign/contracts';
import { type EventLog, openEventLog, type StoredRecord } from '@countersign/event-log';
import {
  createDeploymentAuthority,
  fingerprintOf,
  type InstanceIdentity,
  issueInstanceCertificate,
  openProducer,
  type Producer,
} from '@countersign/ledger';
import { type PostgresInstance, startPostgres, temporaryFolder } from '@countersign/testing';
import { migrate, openDatabase, type Pool } from '../database/index.js';
import { type CheckpointKey, loadCheckpointKey } from '../log/index.js';

export const origin = 'countersign.test/evidence';

/** A deployment's authority, a PostgreSQL for the event log and for evidence, and files for its keys. */
export interface Deployment {
  readonly postgres: PostgresInstance;
  readonly folder: string;
  readonly eventLog: EventLog;
  readonly pool: Pool;
  readonly key: CheckpointKey;
  /** Fingerprint of the authority: what an auditor pins. */
  readonly trust: string;
  readonly files: {
    readonly authority: string;
    readonly checkpointKey: string;
    readonly checkpointCertificate: string;
  };
  identity(service: ServiceName, instance: string): Promise<InstanceIdentity>;
  producer(service: ServiceName, instance?: string): Promise<Producer>;
  /** Another database with the schema of evidence and nothing in it. */
  freshDatabase(): Promise<{ url: string; pool: Pool }>;
  /** All records of the event log, topic by topic. */
  readAll(): Promise<readonly StoredRecord[]>;
  stop(): Promise<void>;
}

export async function startDeployment(): Promise<Deployment> {
  const [postgres, folder] = await Promise.all([startPostgres(), temporaryFolder('evidence')]);
  const now = new Date(Date.now() - 60_000);
  const authority = await createDeploymentAuthority('Countersign test', now);
  const checkpoint = await issueInstanceCertificate(authority, {
    service: 'evidence',
    instance: 'checkpoint',
    now,
  });
  const files = {
    authority: join(folder.path, 'authority.pem'),
    checkpointKey: join(folder.path, 'checkpoint-key.pem'),
    checkpointCertificate: join(folder.path, 'checkpoint.pem'),
  };
  await writeFile(files.authority, authority.certificatePem);
  await writeFile(files.checkpointKey, checkpoint.privateKeyPem);
  await writeFile(files.checkpointCertificate, checkpoint.certificatePem);
  const eventLog = await openEventLog(postgres.url());
  const pools: Pool[] = [];
  const producers: Producer[] = [];
  let databases = 0;
  const open = async (url: string): Promise<Pool> => {
    await migrate(url);
    const pool = openDatabase({ url, connections: 4, onIdleError: () => undefined });
    pools.push(pool);
    return pool;
  };
  const pool = await open(postgres.url());
  const identity: Deployment['identity'] = (service, instance) =>
    issueInstanceCertificate(authority, { service, instance, now });
  return {
    postgres,
    folder: folder.path,
    eventLog,
    pool,
    key: loadCheckpointKey({
      origin,
      authorityFile: files.authority,
      privateKeyFile: files.checkpointKey,
      certificateFile: files.checkpointCertificate,
    }),
    trust: fingerprintOf(authority.certificatePem),
    files,
    identity,
    async producer(service, instance = 'one') {
      const producer = await openProducer({
        log: eventLog,
        service,
        instance,
        identity: await identity(service, instance),
      });
      producers.push(producer);
      return producer;
    },
    async freshDatabase() {
      databases += 1;
      const name = `evidence_${databases}`;
      await pool.query(`create database ${name}`);
      const url = postgres.url(name);
      return { url, pool: await open(url) };
    },
    async readAll() {
      const records: StoredRecord[] = [];
      for (const topic of Object.values(topics)) records.push(...(await readTopic(eventLog, topic)));
      return records;
    },
    async stop() {
      for (const producer of producers) await producer.close();
      await eventLog.close();
      for (const open of pools) await open.end().catch(() => undefined);
      await postgres.stop();
      await folder.remove();
    },
  };
}

/** Reads a topic up to the last record that is there now. */
async function readTopic(eventLog: EventLog, topic: string): Promise<readonly StoredRecord[]> {
  const records: StoredRecord[] = [];
  const stop = new AbortController();
  const idle = () => setTimeout(() => stop.abort(), 300);
  let timer = idle();
  await eventLog.subscribe({
    topics: [topic],
    from: new Map(),
    signal: stop.signal,
    async onBatch(batch) {
      clearTimeout(timer);
      records.push(...batch);
      timer = idle();
    },
  });
  return records;
}
