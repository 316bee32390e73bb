/**
 * Settings of every connection to a target, given as startup parameters: they are no statements, and what analysis
 * assumes of the text (names, strings, encodings) holds because of them.
 */
export function targetSettings(
  session: string,
  schemas: readonly string[],
): Readonly<Record<string, string>> {
  return {
    application_name: `countersign/${session}`,
    search_path: ['pg_catalog', ...schemas.map(quoted), 'pg_temp'].join(', '),
    client_encoding: 'UTF8',
    standard_conforming_strings: 'on',
    backslash_quote: 'safe_encoding',
    transform_null_equals: 'off',
    DateStyle: 'ISO, MDY',
    IntervalStyle: 'postgres',
    TimeZone: 'UTC',
    bytea_output: 'hex',
    row_security: 'on',
    client_min_messages: 'error',
    // A backend whose gateway has gone stops in seconds, not when it next has something to say.
    client_connection_check_interval: '5000',
  };
}

/** Settings that a target reports whenever they change: a session in which one of them changed is ended. */
const REPORTED = [
  'application_name',
  'client_encoding',
  'standard_conforming_strings',
  'search_path',
] as const;

/** The first pinned setting that no longer has its value, as far as the target reports it. */
export function changedPin(
  reported: ReadonlyMap<string, string>,
  settings: Readonly<Record<string, string>>,
): string | null {
  const changed = REPORTED.find((name) => {
    const value = reported.get(name);
    return value !== undefined && value !== settings[name];
  });
  return changed ?? null;
}

/** What an agent is told of the target at its start; nothing else that the target reports. */
const TOLD = [
  'server_version',
  'server_encoding',
  'client_encoding',
  'DateStyle',
  'IntervalStyle',
  'TimeZone',
  'integer_datetimes',
  'standard_conforming_strings',
] as const;

export function toldSettings(
  reported: ReadonlyMap<string, string>,
  settings: Readonly<Record<string, string>>,
  agent: string,
): readonly (readonly [string, string])[] {
  const told = TOLD.flatMap((name) => {
    const value = reported.get(name);
    return value === undefined ? [] : [[name, value] as const];
  });
  return [
    ...told,
    ['application_name', settings.application_name ?? ''],
    ['is_superuser', 'off'],
    ['session_authorization', agent],
  ];
}

function quoted(identifier: string): string {
  return `"${identifier.replaceAll('"', '""')}"`;
}
