import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

/** Whom the server runs as. PostgreSQL refuses to run as root. */
export interface Account {
  /** Options for child_process; empty where the own account will do. */
  readonly spawn: { readonly uid?: number; readonly gid?: number };
  readonly name: string;
}

const run = promisify(execFile);

async function lookUp(name: string): Promise<Account | null> {
  try {
    const [uid, gid] = await Promise.all(
      ['-u', '-g'].map(async (flag) => Number.parseInt((await run('id', [flag, name])).stdout, 10)),
    );
    return uid === undefined || gid === undefined || uid === 0 ? null : { spawn: { uid, gid }, name };
  } catch {
    return null;
  }
}

/** The own account; as root `postgres`, created where missing, else `nobody`, which every system has. */
export async function serverAccount(): Promise<Account> {
  if (process.getuid?.() !== 0) return { spawn: {}, name: 'the current user' };
  const existing = await lookUp('postgres');
  if (existing !== null) return existing;
  await run('useradd', ['--system', '--user-group', '--shell', '/usr/sbin/nologin', 'postgres']).catch(
    () => undefined,
  );
  const account = (await lookUp('postgres')) ?? (await lookUp('nobody'));
  if (account === null) throw new Error('PostgreSQL may not run as root, and there is no other account.');
  return account;
}
