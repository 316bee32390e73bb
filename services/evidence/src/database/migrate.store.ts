import { readdir, readFile } from 'node:fs/promises';
import { migrateSchema } from '@countersign/storage';

/** Files of SQL at the package's root, `0001-….sql`: run in the order of their numbers, each once. */
const folder = new URL('../../migrations/', import.meta.url);

/** Brings the database to the newest schema. Safe to run at every start, and by several instances at once. */
export async function migrate(url: string): Promise<void> {
  const names = (await readdir(folder)).filter((name) => name.endsWith('.sql')).sort();
  const migrations = await Promise.all(
    names.map(async (name) => ({
      id: Number.parseInt(name, 10),
      sql: await readFile(new URL(name, folder), 'utf8'),
    })),
  );
  await migrateSchema({ url, schema: 'evidence', migrations });
}
