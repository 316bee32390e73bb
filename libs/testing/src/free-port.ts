import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';

// Below 32768 lies outside the ephemeral range of Linux, so no outgoing connection takes the port in between.
const FIRST = 12_000;
const LAST = 32_000;

function isFree(port: number, host: string): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ port, host, exclusive: true }, () => server.close(() => resolve(true)));
  });
}

/**
 * A TCP port nobody listens at just now, below the ephemeral range. Another process may still take it before it is
 * used: whoever listens should ask for another one on EADDRINUSE.
 */
export async function freePort(host = '127.0.0.1'): Promise<number> {
  for (let attempt = 0; attempt < 100; attempt += 1) {
    const port = randomInt(FIRST, LAST);
    if (await isFree(port, host)) return port;
  }
  throw new Error(`No free port between ${FIRST} and ${LAST} on ${host}.`);
}
