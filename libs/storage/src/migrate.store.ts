// TypeORM keeps its metadata in this registry.
import 'reflect-metadata';
import { DataSource, type Logger, type MigrationInterface, type QueryRunner } from 'typeorm';

/** One step of a schema. A released step is never edited: a change is a further step. */
export interface Migration {
  /** From 1, ascending. */
  readonly id: number;
  readonly sql: string;
}

export interface MigrateOptions {
  /** Connection string of the role that owns the schema. */
  readonly url: string;
  /** Where the tables live, and what was applied is noted; made where it is missing. */
  readonly schema: string;
  readonly migrations: readonly Migration[];
}

/** TypeORM orders migrations by the 13 digits, a time in milliseconds, at the end of their names. */
const firstMoment = 1_700_000_000_000;

/** Failures reach the caller as errors; the library's own lines would break a service's structured log. */
const silent: Logger = {
  logQuery: () => undefined,
  logQueryError: () => undefined,
  logQuerySlow: () => undefined,
  logSchemaBuild: () => undefined,
  logMigration: () => undefined,
  log: () => undefined,
};

function migrationClass({ id, sql }: Migration): new () => MigrationInterface {
  return class implements MigrationInterface {
    readonly name = `Step${firstMoment + id}`;

    async up(runner: QueryRunner): Promise<void> {
      await runner.query(sql);
    }

    async down(): Promise<void> {
      throw new Error('Schemas go forward only: restore a backup instead.');
    }
  };
}

/**
 * Brings a schema up to date: all missing steps in one transaction, each step once. Safe at every start and by several
 * instances at once: one migrates, the others wait and find it done. Rejects with the database's error.
 */
export async function migrateSchema({ url, schema, migrations }: MigrateOptions): Promise<void> {
  const source = new DataSource({
    type: 'postgres',
    url,
    schema,
    applicationName: 'countersign-migration',
    poolSize: 2,
    logger: silent,
    migrations: migrations.map(migrationClass),
    migrationsTableName: 'migration',
    migrationsTransactionMode: 'all',
  });
  await source.initialize();
  const lock = source.createQueryRunner();
  try {
    await lock.query('SELECT pg_advisory_lock(hashtext($1))', [`countersign-migration-${schema}`]);
    const name = source.driver.escape(schema);
    await lock.query(`CREATE SCHEMA IF NOT EXISTS ${name}`);
    await source.runMigrations();
  } finally {
    // Ending the connections releases the lock.
    await lock.release();
    await source.destroy();
  }
}
