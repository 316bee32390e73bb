import pg from 'pg';
import type { AgentPart, People } from '../session/index.js';
import { cast } from '../session/index.js';

export interface Answer {
  readonly rows: readonly Record<string, unknown>[];
  readonly count: number;
  readonly notices: readonly string[];
  /** Null where the statement ran. */
  readonly refusal: { readonly sqlstate: string; readonly message: string; readonly hint: string } | null;
}

const statementMilliseconds = 60_000;

/** An agent as any would be: a stock PostgreSQL client, its id as user, a session token as password. */
export class Agent {
  readonly #client: pg.Client;
  readonly #notices: string[] = [];
  #heard: (notice: string) => void = () => undefined;

  private constructor(client: pg.Client) {
    this.#client = client;
    client.on('notice', (notice) => {
      this.#notices.push(notice.message ?? '');
      this.#heard(notice.message ?? '');
    });
    client.on('error', () => undefined);
  }

  static async connect(people: People, part: AgentPart, port: number): Promise<Agent> {
    const client = new pg.Client({
      host: '127.0.0.1',
      port,
      database: 'clinic',
      user: cast[part].id,
      password: await people.sessionToken(part),
      query_timeout: statementMilliseconds,
    });
    const agent = new Agent(client);
    await client.connect();
    return agent;
  }

  /** Runs `hear` at each notice from now on. */
  onNotice(hear: (notice: string) => void): void {
    this.#heard = hear;
  }

  async ask(statement: string, parameters?: readonly unknown[]): Promise<Answer> {
    const before = this.#notices.length;
    try {
      const result =
        parameters === undefined
          ? await this.#client.query(statement)
          : await this.#client.query(statement, parameters as unknown[]);
      return {
        rows: result.rows as Record<string, unknown>[],
        count: result.rowCount ?? 0,
        notices: this.#notices.slice(before),
        refusal: null,
      };
    } catch (error) {
      if (!(error instanceof pg.DatabaseError)) throw error;
      const { code = '', message, hint = '' } = error;
      return {
        rows: [],
        count: 0,
        notices: this.#notices.slice(before),
        refusal: { sqlstate: code, message, hint },
      };
    }
  }

  async close(): Promise<void> {
    await this.#client.end();
  }
}
