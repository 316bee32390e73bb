/** One way of one workload, over all its rounds. */
export interface Measurement {
  readonly workload: string;
  /** What distinguishes it within the workload: `simple, 8 connections`. */
  readonly setting: string;
  /** `direct`, `relay`, a gateway. */
  readonly way: string;
  readonly unit: string;
  /** In `unit`, a number for each round, in their order. */
  readonly rounds: readonly number[];
  /** Milliseconds, medians over the rounds. */
  readonly latency?: { readonly p50: number; readonly p95: number };
  /** Microseconds of CPU for one of what is counted, by process; medians over the rounds. */
  readonly cpu?: Readonly<Record<string, number>>;
  /** Events that evidence had still to take in when a round ended, and the seconds that it then took; the most of all. */
  readonly backlog?: { readonly events: number; readonly drainSeconds: number };
}

/** Where the CPU time of a process goes, from a sampling profile under load. */
export interface Profile {
  readonly process: string;
  readonly workload: string;
  /** Part of the busy samples (0 to 1) by what they were spent on, largest first. */
  readonly parts: readonly { readonly name: string; readonly part: number }[];
  /** Functions with the most samples of their own. */
  readonly functions: readonly { readonly name: string; readonly place: string; readonly part: number }[];
}

export interface Results {
  readonly version: 1;
  /** RFC 3339. */
  readonly startedAt: string;
  readonly settings: Readonly<Record<string, string>>;
  readonly seconds: number;
  readonly measurements: readonly Measurement[];
  readonly profiles: readonly Profile[];
}
