// Measures Countersign beside what one would use instead: `npm run bench -- --help`.
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { availableParallelism, cpus, loadavg, totalmem } from 'node:os';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type BenchOptions, readOptions, UsageError, usage } from './options.js';
import { performancePage } from './page.js';
import type { Measurement, Profile, Results } from './results.js';
import { startStage } from './stage.driver.js';
import { median } from './statistics.js';
import { workloads } from './workloads/index.js';

const checkout = fileURLToPath(new URL('../../../', import.meta.url));

const say = (line: string): void => {
  process.stdout.write(`${line}\n`);
};

function machine(): Record<string, string> {
  return {
    processor: `${cpus()[0]?.model ?? 'unknown'}, ${availableParallelism()} cores`,
    memory: `${Math.round(totalmem() / 2 ** 30)} GiB`,
    'load at the start': loadavg()[0]?.toFixed(2) ?? '',
    node: process.version,
    revision: revision(),
  };
}

function revision(): string {
  try {
    return execFileSync('git', ['describe', '--always', '--dirty'], {
      cwd: checkout,
      encoding: 'utf8',
    }).trim();
  } catch {
    return 'unknown';
  }
}

function tell({ setting, way, unit, rounds, latency, backlog }: Measurement): void {
  const spread = `${Math.min(...rounds)}–${Math.max(...rounds)}`;
  const times = latency === undefined ? '' : `, p50 ${latency.p50} ms, p95 ${latency.p95} ms`;
  const left =
    backlog === undefined ? '' : `, backlog ${backlog.events} drained in ${backlog.drainSeconds} s`;
  say(`  ${setting} | ${way}: ${median(rounds)} ${unit} (${spread})${times}${left}`);
}

async function run(options: BenchOptions): Promise<Results> {
  const startedAt = new Date().toISOString();
  const measurements: Measurement[] = [];
  const profiles: Profile[] = [];
  const stage = await startStage();
  const stop = (): void => void stage.stop().finally(() => process.exit(130));
  process.once('SIGINT', stop).once('SIGTERM', stop);
  try {
    const settings = { ...machine(), ...stage.settings };
    for (const [name, value] of Object.entries(settings)) say(`${name}: ${value}`);
    for (const workload of workloads) {
      if (options.only.length > 0 && !options.only.includes(workload.name)) continue;
      say(`\n${workload.name}: ${workload.about}`);
      const found = await workload.run(stage, options);
      for (const measurement of found.measurements) tell(measurement);
      measurements.push(...found.measurements);
      profiles.push(...(found.profiles ?? []));
    }
    return { version: 1, startedAt, settings, seconds: options.seconds, measurements, profiles };
  } finally {
    await stage.stop();
  }
}

try {
  const options = readOptions(
    process.argv.slice(2),
    workloads.map(({ name }) => name),
  );
  if (options === 'help') say(usage);
  else if (options === 'list') for (const { name, about } of workloads) say(`${name}: ${about}`);
  else {
    const results = await run(options);
    const file = resolve(options.page ? checkout : '.', options.json);
    writeFileSync(file, `${JSON.stringify(results, undefined, 2)}\n`);
    say(`\nResults: ${file}`);
    if (options.page)
      writeFileSync(resolve(checkout, 'docs/performance.md'), performancePage(results, workloads));
  }
} catch (error) {
  process.stderr.write(`${error instanceof UsageError ? `${error.message}\n\n${usage}` : String(error)}\n`);
  process.exitCode = error instanceof UsageError ? 64 : 1;
}
