import pg from 'pg';
import type { Asks } from './traffic.driver.js';

/** A round of an analyst: what is allowed, what is masked, and every way in which a statement may fail. */
export function* readings(): Asks {
  yield { text: 'SELECT status, count(*) FROM clinic.appointments GROUP BY status' };
  yield { text: 'SELECT id, full_name, email, birth_date FROM clinic.patients ORDER BY id LIMIT 5' };
  yield { text: 'SELECT id, status FROM clinic.appointments WHERE id = $1', values: [17] };
  // Refused by masking, and by policy.
  yield { text: "SELECT id FROM clinic.patients WHERE national_id = 'NI10007919'" };
  yield { text: 'CREATE EXTENSION pgcrypto' };
  // Refused by the target: when it runs, when it is parsed, when its parameter is bound.
  yield { text: 'SELECT id / (id - id) FROM clinic.appointments' };
  yield { text: "SELECT id FROM clinic.appointments WHERE id = 'seventeen'" };
  yield { text: 'SELECT id FROM clinic.appointments WHERE id = $1', values: ['seventeen'] };
  yield { text: 'BEGIN' };
  yield { text: 'SELECT id, email FROM clinic.doctors ORDER BY id LIMIT 3' };
  yield { text: 'SELECT 1 / (id - id) FROM clinic.doctors' };
  yield { text: 'SELECT count(*) FROM clinic.doctors' };
  yield { text: 'ROLLBACK' };
}

/** What became of a row that an agent wrote: surely there, surely not, or either. */
export type Fate = 'done' | 'refused' | 'unknown';

/** Writes rows, each with a name of its own, and remembers what it was told of each. */
export class Clerk {
  readonly written = new Map<string, Fate>();

  /** A round: a row by itself, and one within a transaction. */
  readonly writings = function* (this: Clerk): Asks {
    const alone = this.#next('alone');
    this.written.set(
      alone,
      fateOf(yield { text: 'INSERT INTO clinic.import_staging (batch) VALUES ($1)', values: [alone] }),
    );
    const together = this.#next('together');
    const transaction = [
      'BEGIN',
      `INSERT INTO clinic.import_staging (batch) VALUES ('${together}')`,
      "UPDATE clinic.import_staging SET batch = batch || '' WHERE id = 1",
    ];
    for (const text of transaction) {
      const { kind } = yield { text };
      if (kind === 'rows') continue;
      // Without its COMMIT it cannot have become lasting, whatever happened.
      this.written.set(together, 'refused');
      yield { text: 'ROLLBACK' };
      return;
    }
    const committed = yield { text: 'COMMIT' };
    this.written.set(together, fateOf(committed));
    if (committed.kind !== 'rows') yield { text: 'ROLLBACK' };
  }.bind(this);

  /** How often each row is there. */
  async counted(url: string): Promise<ReadonlyMap<string, number>> {
    const owner = new pg.Client({ connectionString: url });
    await owner.connect();
    const { rows } = await owner.query<{ batch: string; count: string }>(
      'SELECT batch, count(*) FROM clinic.import_staging GROUP BY batch',
    );
    await owner.end();
    return new Map(rows.map(({ batch, count }) => [batch, Number(count)]));
  }

  #next(kind: string): string {
    const name = `${kind}-${this.written.size + 1}`;
    // Until its end is known.
    this.written.set(name, 'unknown');
    return name;
  }
}

function fateOf({ kind, code }: { readonly kind: string; readonly code: string }): Fate {
  if (kind === 'rows') return 'done';
  return kind === 'refused' && code !== 'target.connection_lost' ? 'refused' : 'unknown';
}
