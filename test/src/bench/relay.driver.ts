import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

export interface Relay {
  readonly port: number;
  readonly pid: number;
  stop(): Promise<void>;
}

const script = fileURLToPath(new URL('./relay.main.js', import.meta.url));

export async function startRelay(host: string, port: number): Promise<Relay> {
  const child: ChildProcess = spawn(process.execPath, [script, host, String(port)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  if (child.stdout === null) throw new Error('The relay has no output.');
  const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
  return {
    port: Number(line),
    pid: child.pid ?? 0,
    async stop() {
      const ended = once(child, 'exit');
      child.kill('SIGTERM');
      await ended;
    },
  };
}
