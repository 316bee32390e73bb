import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';

/** Processes that count as one: a server with its children, a service. */
export type ProcessGroups = ReadonlyMap<string, { readonly pid: number; readonly children: boolean }>;

const ticksPerSecond = (() => {
  try {
    return Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));
  } catch {
    return 100;
  }
})();

interface Stat {
  readonly parent: number;
  /** Microseconds in user and kernel mode. */
  readonly used: number;
}

/** The fields of /proc/<pid>/stat (proc_pid_stat(5)); null where there is no such process, or no /proc. */
function statOf(pid: number): Stat | null {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name, in parentheses, may hold anything; the third field follows it.
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    const ticks = Number(fields[11]) + Number(fields[12]);
    return { parent: Number(fields[1]), used: (ticks / ticksPerSecond) * 1e6 };
  } catch {
    return null;
  }
}

function childrenOf(parent: number): readonly Stat[] {
  try {
    return readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .flatMap((name) => statOf(Number(name)) ?? [])
      .filter((stat) => stat.parent === parent);
  } catch {
    return [];
  }
}

/** CPU time that each group has used so far, microseconds; empty on a system without /proc. */
export function cpuOf(groups: ProcessGroups): ReadonlyMap<string, number> {
  const used = new Map<string, number>();
  for (const [name, { pid, children }] of groups) {
    const own = statOf(pid);
    if (own === null) continue;
    const below = children ? childrenOf(pid) : [];
    used.set(
      name,
      below.reduce((sum, stat) => sum + stat.used, own.used),
    );
  }
  return used;
}

/** What was used between two looks. */
export function cpuBetween(
  before: ReadonlyMap<string, number>,
  after: ReadonlyMap<string, number>,
): Record<string, number> {
  return Object.fromEntries([...after].map(([name, used]) => [name, used - (before.get(name) ?? used)]));
}
