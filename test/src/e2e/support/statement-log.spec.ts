import { readFileSync } from 'node:fs';
import { expect, it } from '@jest/globals';
import { statementsIn } from './statement-log.js';

interface Case {
  readonly name: string;
  readonly line: Readonly<Record<string, string>>;
  /** What was sent; null where the line tells of no statement. */
  readonly text: string | null;
}

const cases = JSON.parse(
  readFileSync(new URL('../../../cases/statement-log.json', import.meta.url), 'utf8'),
) as readonly Case[];

it.each(cases)('$name', ({ line, text }) => {
  expect(statementsIn(`${JSON.stringify(line)}\n`)).toEqual(text === null ? [] : [{ session: 's1', text }]);
});

it('reads line by line, and nothing that is no line of this log', () => {
  const lines = cases.map(({ line }) => JSON.stringify(line)).join('\n');
  expect(statementsIn(lines)).toHaveLength(cases.filter(({ text }) => text !== null).length);
  expect(() => statementsIn(`${lines}\nhalf a li`)).toThrow(SyntaxError);
});
