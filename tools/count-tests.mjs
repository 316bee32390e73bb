import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Leaves the counts of a package's tests where the task cache keeps them, to be summed over packages. */
export default class CountTests {
  #rootDir;

  constructor(config) {
    this.#rootDir = config.rootDir;
  }

  onRunComplete(_contexts, results) {
    const counts = {
      passed: results.numPassedTests,
      // A suite that does not load has no tests to count, yet it failed.
      failed: results.numFailedTests + results.numRuntimeErrorTestSuites,
      skipped: results.numPendingTests + results.numTodoTests,
    };
    writeFileSync(join(this.#rootDir, 'dist/.tests.json'), `${JSON.stringify(counts)}\n`);
  }
}
