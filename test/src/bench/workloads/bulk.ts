import type { Measurement } from '../results.js';
import { takeTurns } from '../ways.js';
import { statementWays } from './statement-ways.driver.js';
import type { Workload } from './workload.js';

const selects = [
  {
    setting: '200,000 rows, nothing masked',
    statement: `SELECT a.id, a.patient_id, a.status, a.complaint
      FROM clinic.appointments AS a CROSS JOIN generate_series(1, 25) AS copies`,
  },
  {
    setting: '200,050 rows, masked in the database',
    statement: `SELECT p.id, p.full_name, p.phone, p.birth_date
      FROM clinic.patients AS p CROSS JOIN generate_series(1, 50) AS copies`,
  },
  {
    setting: '200,050 rows, a surrogate in each at release',
    statement: `SELECT p.id, p.city, p.email
      FROM clinic.patients AS p CROSS JOIN generate_series(1, 50) AS copies`,
  },
] as const;

/** One large answer: what streaming, committing to it and masking cost. Directly, the values are plain. */
export const bulk: Workload = {
  name: 'bulk',
  about: 'select 200,000 rows, unmasked and masked',
  async run(stage, { seconds, rounds }) {
    const measurements: Measurement[] = [];
    for (const { setting, statement } of selects) {
      const ways = await statementWays(stage, {
        load: { mode: 'simple', statement, keys: 1, connections: 1, seconds },
        part: 'operator',
        valueOf: (report) => report.rows / report.seconds,
      });
      measurements.push(...(await takeTurns(ways, rounds, { workload: 'bulk', setting, unit: 'rows/s' })));
    }
    return { measurements };
  },
};
