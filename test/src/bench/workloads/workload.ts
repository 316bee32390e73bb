import type { BenchOptions } from '../options.js';
import type { Measurement, Profile } from '../results.js';
import type { Stage } from '../stage.driver.js';

export interface Findings {
  readonly measurements: readonly Measurement[];
  readonly profiles?: readonly Profile[];
}

/** Something that is measured; one that needs no stage may leave it alone. */
export interface Workload {
  readonly name: string;
  readonly about: string;
  run(stage: Stage, options: BenchOptions): Promise<Findings>;
}
