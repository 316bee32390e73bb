import { existsSync } from 'node:fs';
import { chmod, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { temporaryFolder } from '../temporary-folder.js';
import { waitUntil } from '../wait-until.js';
import { type PostgresInstance, startPostgres } from './index.js';

async function ask(postgres: PostgresInstance, text: string): Promise<unknown> {
  const client = new pg.Client({ connectionString: postgres.url() });
  await client.connect();
  try {
    const { rows } = await client.query<Record<string, unknown>>(text);
    return rows[0] === undefined ? null : Object.values(rows[0])[0];
  } finally {
    await client.end();
  }
}

describe('startPostgres', () => {
  it('serves PostgreSQL 18, durably, below the ephemeral ports, and leaves nothing behind', async () => {
    const postgres = await startPostgres();
    expect(await ask(postgres, 'SHOW server_version')).toMatch(/^18\./);
    expect(await ask(postgres, 'SHOW fsync')).toBe('on');
    expect(await ask(postgres, 'SHOW synchronous_commit')).toBe('on');
    expect(postgres.port).toBeLessThan(32_768);
    await postgres.stop();
    await postgres.stop();
    expect(existsSync(dirname(postgres.logFile))).toBe(false);
    await expect(ask(postgres, 'SELECT 1')).rejects.toThrow();
  });

  it('keeps what was committed when killed', async () => {
    const postgres = await startPostgres();
    try {
      await ask(postgres, 'CREATE TABLE kept AS SELECT 42 AS n');
      await postgres.kill();
      await expect(ask(postgres, 'SELECT 1')).rejects.toThrow();
      await postgres.restart();
      expect(await ask(postgres, 'SELECT n FROM kept')).toBe(42);
    } finally {
      await postgres.stop();
    }
  });

  it('writes a log of statements as JSON lines', async () => {
    const postgres = await startPostgres({ settings: { log_destination: 'jsonlog', log_statement: 'all' } });
    try {
      await ask(postgres, 'SELECT 4711 AS written');
      const written = await waitUntil(async () =>
        (await readFile(postgres.logFile, 'utf8'))
          .split('\n')
          .filter(Boolean)
          .map((line) => JSON.parse(line) as { message: string })
          .find(({ message }) => message.includes('AS written')),
      );
      expect(written.message).toBe('statement: SELECT 4711 AS written');
      // What was answered is in the log, even when the server died in the next moment.
      for (let count = 0; count < 20; count += 1) await ask(postgres, `SELECT ${count} AS answered`);
      await postgres.kill();
      await waitUntil(async () =>
        (await readFile(postgres.logFile, 'utf8')).includes('statement: SELECT 19 AS answered'),
      );
    } finally {
      await postgres.stop();
    }
  });

  it('keeps a folder that it was given, with its password', async () => {
    const folder = await temporaryFolder('kept');
    try {
      // The server's account has to reach it.
      await chmod(folder.path, 0o711);
      const data = join(folder.path, 'deeper/data');
      const first = await startPostgres({ data });
      await ask(first, 'CREATE TABLE kept AS SELECT 43 AS n');
      await first.stop();
      const second = await startPostgres({ data });
      expect(second.password).toBe(first.password);
      expect(await ask(second, 'SELECT n FROM kept')).toBe(43);
      await second.stop();
    } finally {
      await folder.remove();
    }
  });

  it('says which port is taken', async () => {
    const first = await startPostgres();
    try {
      await expect(startPostgres({ port: first.port })).rejects.toMatchObject({
        code: 'service.port_in_use',
        detail: expect.stringContaining(String(first.port)),
      });
    } finally {
      await first.stop();
    }
  });
});
