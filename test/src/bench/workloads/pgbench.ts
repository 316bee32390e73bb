import { spawn, spawnSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { temporaryFolder } from '@countersign/testing';
import type { Login } from '../load/index.js';
import type { Measurement } from '../results.js';
import { agentLogin, type Stage } from '../stage.driver.js';
import { takeTurns, type Way } from '../ways.js';
import { appointmentKeys, selectByKey } from './keys.js';
import type { Workload } from './workload.js';

interface Run {
  readonly mode: 'simple' | 'prepared';
  readonly connections: number;
  readonly seconds: number;
  readonly script: string;
}

async function pgbench(login: Login, run: Run): Promise<number> {
  const { host, port, user, database, password } = login;
  const child = spawn(
    'pgbench',
    [
      ...[
        '-n',
        '-f',
        run.script,
        '-M',
        run.mode,
        '-c',
        `${run.connections}`,
        '-T',
        `${Math.ceil(run.seconds)}`,
      ],
      ...['-h', host, '-p', `${port}`, '-U', user, database],
    ],
    {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { PATH: process.env.PATH, PGPASSWORD: password, PGSSLMODE: 'disable' },
    },
  );
  const [output, errors] = await Promise.all([text(child.stdout), text(child.stderr)]);
  const found = /^tps = ([\d.]+)/m.exec(output)?.[1];
  if (found === undefined) throw new Error(`pgbench said: ${errors.trim().split('\n').at(-1)}`);
  return Number(found);
}

function waysOf({ gateways, target, relay }: Stage, run: Run): readonly Way[] {
  const plain = (name: string, login: Login): Way => ({
    name,
    round: async () => ({ value: await pgbench(login, run) }),
  });
  return [
    plain('direct', target),
    plain('relay', { ...target, host: '127.0.0.1', port: relay.port }),
    ...gateways.map(
      (gateway): Way => ({
        name: gateway.kind.name,
        async round() {
          const login = await agentLogin(gateway, 'analyst');
          const before = await gateway.meter.size();
          const value = await pgbench(login, run);
          const drainSeconds = await gateway.meter.reached(
            before + 2 * Math.floor(value * run.seconds * 0.9),
          );
          return { value, backlog: { events: 0, drainSeconds } };
        },
      }),
    ),
  ];
}

/** The same select by PostgreSQL's own load generator, where it is installed. */
export const pgbenchKeys: Workload = {
  name: 'pgbench',
  about: 'select one row by its key, load made by pgbench (skipped where it is not on PATH)',
  async run(stage, { seconds, rounds }) {
    if (spawnSync('pgbench', ['--version']).status !== 0) return { measurements: [] };
    const folder = await temporaryFolder('bench');
    const script = join(folder.path, 'key.sql');
    await writeFile(script, `\\set id random(1, ${appointmentKeys})\n${selectByKey.replace('?', ':id')};\n`);
    const measurements: Measurement[] = [];
    try {
      for (const mode of ['simple', 'prepared'] as const) {
        for (const connections of [1, 8, 32]) {
          const setting = `${mode}, ${connections} connection${connections === 1 ? '' : 's'}`;
          const ways = waysOf(stage, { mode, connections, seconds, script });
          const about = { workload: 'pgbench', setting, unit: 'statements/s' };
          measurements.push(...(await takeTurns(ways, rounds, about)));
        }
      }
      return { measurements };
    } finally {
      await folder.remove();
    }
  },
};
