/** A quoted identifier (SQL-92 delimited identifier): safe for any name that holds no NUL. */
export function quoteIdentifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** A quoted string constant under standard_conforming_strings, for texts of our own without a backslash. */
export function quoteLiteral(text: string): string {
  if (text.includes('\\')) throw new RangeError('A literal of our own holds no backslash.');
  return `'${text.replaceAll("'", "''")}'`;
}
