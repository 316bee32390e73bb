import type { RunReport } from './action.js';
import type { ClockPort } from './ports.js';
import type { ActionRelease } from './release.driver.js';
import type { TransactionStep } from './transaction.js';

/** What an action that runs carries until its outcome. */
export interface Course {
  readonly time: RunTime;
  readonly release: ActionRelease;
  readonly after: TransactionStep;
}

/** How long an action has run, without the time between its portions. */
export class RunTime {
  readonly #clock: ClockPort;
  microseconds = 0;

  constructor(clock: ClockPort) {
    this.#clock = clock;
  }

  async timed(run: () => Promise<RunReport>): Promise<RunReport> {
    const started = this.#clock.microseconds();
    const report = await run().catch((): RunReport => lostReport);
    this.microseconds += this.#clock.microseconds() - started;
    return report;
  }
}

export const lostReport: RunReport = {
  status: 'unknown',
  error: 'target.connection_lost',
  sqlstate: null,
  rows: 0,
  transaction: 'lost',
  ended: null,
};
