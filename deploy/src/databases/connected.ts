import pg from 'pg';

/**
 * Runs `work` on a superuser's connection that is closed afterwards. Its statements stay out of the server's log: they
 * set passwords.
 */
export async function connected<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url, options: '-c log_statement=none' });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}
