import type { Measurement } from './results.js';
import { median, significant } from './statistics.js';

/** What one round of one way gave. */
export interface Round {
  /** In the workload's unit. */
  readonly value: number;
  readonly latency?: { readonly p50: number; readonly p95: number };
  readonly cpu?: Readonly<Record<string, number>>;
  readonly backlog?: { readonly events: number; readonly drainSeconds: number };
}

export interface Way {
  readonly name: string;
  round(): Promise<Round>;
}

function medians(parts: readonly Readonly<Record<string, number>>[]): Record<string, number> {
  const names = new Set(parts.flatMap((part) => Object.keys(part)));
  return Object.fromEntries(
    [...names].map((name) => [name, significant(median(parts.flatMap((part) => part[name] ?? [])))]),
  );
}

function summary(rounds: readonly Round[]): Pick<Measurement, 'rounds' | 'latency' | 'cpu' | 'backlog'> {
  const latencies = rounds.flatMap(({ latency }) => latency ?? []);
  const cpu = rounds.map((round) => round.cpu).filter((used) => used !== undefined);
  const backlogs = rounds.flatMap(({ backlog }) => backlog ?? []);
  return {
    rounds: rounds.map(({ value }) => significant(value)),
    ...(latencies.length === 0
      ? {}
      : {
          latency: {
            p50: significant(median(latencies.map(({ p50 }) => p50))),
            p95: significant(median(latencies.map(({ p95 }) => p95))),
          },
        }),
    ...(cpu.length === 0 ? {} : { cpu: medians(cpu) }),
    ...(backlogs.length === 0
      ? {}
      : {
          backlog: {
            events: Math.max(...backlogs.map(({ events }) => events)),
            drainSeconds: significant(Math.max(...backlogs.map(({ drainSeconds }) => drainSeconds))),
          },
        }),
  };
}

/** Runs all ways in turns, so that whatever slows the machine for a while slows all of them. */
export async function takeTurns(
  ways: readonly Way[],
  rounds: number,
  about: Pick<Measurement, 'workload' | 'setting' | 'unit'>,
): Promise<readonly Measurement[]> {
  const found = new Map<Way, Round[]>(ways.map((way) => [way, []]));
  for (let round = 0; round < rounds; round += 1) {
    for (const [way, done] of found) done.push(await way.round());
  }
  return [...found].map(([way, done]) => ({ ...about, way: way.name, ...summary(done) }));
}
