import type { Measurement, Profile, Results } from './results.js';
import { median, significant } from './statistics.js';

const numbers = new Intl.NumberFormat('en', { maximumSignificantDigits: 3 });
const shown = (value: number): string => numbers.format(value);
const percent = (part: number): string => `${(part * 100).toFixed(1)} %`;

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(head), `|${head.map(() => '---').join('|')}|`, ...rows.map(line)].join('\n');
}

/** The median of a way against that of the bare relay under the same load; empty where there is no relay. */
function ratioOf(measurement: Measurement, all: readonly Measurement[]): string {
  const relay = all.find(
    ({ workload, setting, way }) =>
      workload === measurement.workload && setting === measurement.setting && way === 'relay',
  );
  if (relay === undefined) return '';
  return (median(measurement.rounds) / median(relay.rounds)).toFixed(2);
}

function backlogOf({ backlog }: Measurement): string {
  return backlog === undefined ? '' : `${shown(backlog.events)} in ${shown(backlog.drainSeconds)} s`;
}

function row(measurement: Measurement, all: readonly Measurement[]): readonly string[] {
  const { setting, way, rounds, latency } = measurement;
  return [
    setting,
    way,
    shown(median(rounds)),
    `${shown(Math.min(...rounds))} – ${shown(Math.max(...rounds))}`,
    ratioOf(measurement, all),
    latency === undefined ? '' : `${shown(latency.p50)} / ${shown(latency.p95)}`,
    backlogOf(measurement),
  ];
}

function cpuTable(measurements: readonly Measurement[]): string {
  const rows = measurements.flatMap(({ setting, way, cpu }) =>
    cpu === undefined
      ? []
      : [
          [
            setting,
            way,
            Object.entries(cpu)
              .sort(([, left], [, right]) => right - left)
              .map(([name, used]) => `${name} ${shown(used)}`)
              .join(', '),
          ],
        ],
  );
  if (rows.length === 0) return '';
  return `CPU for one statement, microseconds by process:\n\n${table(['load', 'way', 'CPU'], rows)}\n\n`;
}

function section(name: string, about: string, all: readonly Measurement[]): string {
  const own = all.filter(({ workload }) => workload === name);
  if (own.length === 0) return '';
  const head = [
    'load',
    'way',
    own[0]?.unit ?? '',
    'lowest – highest',
    'of the relay',
    'p50 / p95 ms',
    'backlog drained',
  ];
  // A column in which nothing stands says nothing.
  const rows = own.map((measurement) => row(measurement, all));
  const kept = head.map((_, index) => index < 4 || rows.some((cells) => cells[index] !== ''));
  const keep = <T>(cells: readonly T[]): T[] => cells.filter((_, index) => kept[index]);
  return `## ${name}: ${about}\n\n${table(keep(head), rows.map(keep))}\n\n${cpuTable(own)}`;
}

function profileSection({ process, workload, parts, functions }: Profile): string {
  const byPart = table(
    ['part', 'of the busy time'],
    parts.map(({ name, part }) => [name, percent(part)]),
  );
  const byFunction = table(
    ['function', 'of the busy time'],
    functions.slice(0, 12).map(({ name, place, part }) => [`\`${name}\` ${place}`.trim(), percent(part)]),
  );
  return `### ${process}; ${workload}\n\n${byPart}\n\n${byFunction}\n`;
}

/** docs/performance.md, from the results of a run. */
export function performancePage(
  results: Results,
  workloads: readonly { readonly name: string; readonly about: string }[],
): string {
  const settings = table(
    ['setting', 'value'],
    Object.entries(results.settings).map(([name, value]) => [name, value]),
  );
  const profiles = results.profiles.map(profileSection).join('\n');
  return `# Performance

Measured by \`npm run bench\`; this page is written from [performance.json](performance.json) by \`npm run bench -- --page\`.
All ways of a workload take turns, ${significant(results.seconds)} s each, on one machine that also makes the load: the ratios say more
than the numbers. *direct* is the target itself; *relay* is a process of the same runtime that copies bytes and does
nothing else. Through the gateway every decision is durable before its statement runs. A gateway is measured while
evidence takes in what it records, and again with evidence paused; *backlog drained* is what was then left to take in.

${settings}

${workloads.map(({ name, about }) => section(name, about, results.measurements)).join('')}## Where the ingress spends its time

A sampling profile under load; idle time is left out.

${profiles}`;
}
