import { z } from 'zod';

/** A statement that reached a target in a session of the gateway. */
export interface LoggedStatement {
  readonly session: string;
  readonly text: string;
}

const entry = z.object({
  application_name: z.string().optional(),
  error_severity: z.string(),
  message: z.string().optional(),
  /** What the backend was doing: the step of the extended protocol, or the command. */
  ps: z.string().optional(),
  statement: z.string().optional(),
});
type Entry = z.output<typeof entry>;

const sessionPattern = /^countersign\/(.+)$/;
/** `statement: …` for a simple query, `execute <name>: …` for the extended protocol; `execute fetch from` goes on. */
const runPattern = /^(?:statement|execute (?!fetch from )[^:]+): ([\s\S]*)$/;
/** Steps before the one in which `log_statement` writes its line: who fails there leaves only the error. */
const beforeRunning = /^(?:PARSE|BIND)\b/;

function textOf({ error_severity: severity, message = '', ps = '', statement }: Entry): string | undefined {
  if (severity === 'LOG') return runPattern.exec(message)?.[1];
  return beforeRunning.test(ps) ? statement : undefined;
}

/**
 * The statements that a target saw in sessions of the gateway, in its own words: one line of PostgreSQL's jsonlog each
 * (`log_statement = all`; PostgreSQL 18, section 19.8.5). A statement that failed while it was parsed or bound never
 * ran, but was sent: it counts by the error that names it.
 */
export function statementsIn(jsonlog: string): readonly LoggedStatement[] {
  return jsonlog.split('\n').flatMap((line) => {
    if (line === '') return [];
    const parsed = entry.parse(JSON.parse(line));
    const session = sessionPattern.exec(parsed.application_name ?? '')?.[1];
    const text = session === undefined ? undefined : textOf(parsed);
    return session === undefined || text === undefined ? [] : [{ session, text }];
  });
}
