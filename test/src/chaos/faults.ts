import fc from 'fast-check';

/** What can be done to a process: it dies, or it stands still for a while. */
export type ProcessFault = 'kill' | 'stop';
/** What can be done to a connection between two of them: silence, or requests that arrive and answers that do not. */
export type LinkFault = 'stall' | 'swallow-answers';

/** Something that goes wrong once. */
export interface Fault {
  /** Name of a process, or of a link, `evidence→store`. */
  readonly victim: string;
  readonly kind: ProcessFault | LinkFault;
  /** Since the end of the one before. */
  readonly afterMilliseconds: number;
  /** How long a process stands still or stays down, and a link fails. */
  readonly forMilliseconds: number;
}

export interface Victims {
  readonly processes: readonly string[];
  readonly links: readonly string[];
}

/** Mostly short; some outlast every time limit on the way of an action. */
const duration = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: 50, max: 900 }) },
  { weight: 2, arbitrary: fc.integer({ min: 900, max: 3_000 }) },
  { weight: 1, arbitrary: fc.integer({ min: 5_500, max: 7_000 }) },
);
const pause = fc.integer({ min: 0, max: 800 });

/** `count` faults, the same for the same seed and victims; every victim is struck before one is struck twice. */
export function faultsOf(seed: number, count: number, { processes, links }: Victims): readonly Fault[] {
  const onProcess = (victim: string) =>
    fc.record({
      victim: fc.constant(victim),
      kind: fc.constantFrom<ProcessFault>('kill', 'kill', 'stop'),
      afterMilliseconds: pause,
      forMilliseconds: duration,
    });
  const onLink = (victim: string) =>
    fc.record({
      victim: fc.constant(victim),
      kind: fc.constantFrom<LinkFault>('stall', 'swallow-answers'),
      afterMilliseconds: pause,
      forMilliseconds: duration,
    });
  const every: readonly fc.Arbitrary<Fault>[] = [...processes.map(onProcess), ...links.map(onLink)];
  const round = fc.shuffledSubarray([...every], { minLength: every.length, maxLength: every.length });
  const rounds = Math.ceil(count / every.length);
  const faults = fc
    .array(
      round.chain((victims) => fc.tuple(...victims)),
      { minLength: rounds, maxLength: rounds },
    )
    .map((all) => all.flat().slice(0, count));
  return fc.sample(faults, { seed, numRuns: 1 })[0] ?? [];
}
