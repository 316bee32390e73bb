import { chmodSync, lstatSync, mkdirSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { dirname } from 'node:path';
import { CountersignError } from '@countersign/errors';

/** Whether a process answers at a Unix socket. */
function isAnswered(path: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const socket = connect({ path });
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', (error: NodeJS.ErrnoException) => {
      socket.destroy();
      // EAGAIN: its queue is full, so somebody has it.
      if (error.code === 'ECONNREFUSED' || error.code === 'ENOENT') resolve(false);
      else if (error.code === 'EAGAIN') resolve(true);
      else reject(error);
    });
  });
}

/**
 * Makes the way free for a Unix socket: its folder exists and is this user's alone (0700), and a socket that a dead process
 * left behind is removed. Throws service.port_in_use while somebody listens, config.invalid for a folder that others may
 * enter: who can reach the socket can call the service.
 */
export async function prepareSocket(path: string): Promise<void> {
  const folder = dirname(path);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const { mode, uid } = lstatSync(folder);
  if ((mode & 0o077) !== 0 || (process.getuid !== undefined && uid !== process.getuid())) {
    throw new CountersignError('config.invalid', {
      detail: `The folder ${folder} must belong to this user and have mode 0700, since it guards a socket.`,
    });
  }
  const there = lstatSync(path, { throwIfNoEntry: false });
  if (there === undefined) return;
  if (!there.isSocket()) {
    throw new CountersignError('config.invalid', { detail: `There is something else at ${path}.` });
  }
  if (await isAnswered(path)) {
    throw new CountersignError('service.port_in_use', { detail: `The address is unix:${path}.` });
  }
  rmSync(path, { force: true });
}

/** The socket file itself is for its owner too. */
export function guardSocket(path: string): void {
  chmodSync(path, 0o600);
}

/** Removes the socket file of a server that has ended. */
export function removeSocket(path: string): void {
  rmSync(path, { force: true });
}
