import type { Measurement } from '../results.js';
import { takeTurns } from '../ways.js';
import { statementWays } from './statement-ways.driver.js';
import type { Workload } from './workload.js';

export const selectByKey = 'SELECT id, patient_id, status, complaint FROM clinic.appointments WHERE id = ?';
export const appointmentKeys = 8000;

/** The smallest statement that does something: all that the gateway adds shows. */
export const keys: Workload = {
  name: 'key',
  about: 'select one row by its key',
  async run(stage, { seconds, rounds }) {
    const measurements: Measurement[] = [];
    for (const mode of ['simple', 'prepared'] as const) {
      for (const connections of [1, 8, 32]) {
        const ways = await statementWays(stage, {
          load: { mode, statement: selectByKey, keys: appointmentKeys, connections, seconds },
          part: 'analyst',
          valueOf: (report) => report.transactions / report.seconds,
        });
        const setting = `${mode}, ${connections} connection${connections === 1 ? '' : 's'}`;
        measurements.push(
          ...(await takeTurns(ways, rounds, { workload: 'key', setting, unit: 'statements/s' })),
        );
      }
    }
    return { measurements };
  },
};
