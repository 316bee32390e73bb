import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Login } from './wire.client.js';

export interface LoadOrder {
  readonly login: Login;
  readonly mode: 'simple' | 'prepared';
  /** A question mark stands for a key from 1 to `keys`, drawn anew each time. */
  readonly statement: string;
  readonly keys: number;
  readonly connections: number;
  readonly warmUpSeconds: number;
  readonly seconds: number;
}

export interface LoadReport {
  readonly transactions: number;
  /** With those of warming up. */
  readonly all: number;
  readonly rows: number;
  readonly seconds: number;
  /** Milliseconds. */
  readonly p50: number;
  readonly p95: number;
}

/** Called when what is measured begins, and when it has ended. */
export interface LoadWatch {
  began(pid: number): void;
  ended(pid: number): void;
}

const script = fileURLToPath(new URL('./load.main.js', import.meta.url));

/** Throws where a statement was refused or a connection ended. */
export async function runLoad(order: LoadOrder, watch: LoadWatch): Promise<LoadReport> {
  const child = spawn(process.execPath, [script], { stdio: ['pipe', 'pipe', 'inherit'] });
  child.stdin.end(JSON.stringify(order));
  let last = '';
  for await (const line of createInterface({ input: child.stdout })) {
    if (line === 'began') watch.began(child.pid ?? 0);
    else if (line === 'ended') watch.ended(child.pid ?? 0);
    else last = line;
  }
  if (last === '') throw new Error('The load generator failed; what it said stands above.');
  return JSON.parse(last) as LoadReport;
}
