import { readFileSync } from 'node:fs';
import { expect, it } from '@jest/globals';
import { type Asked, judge, type RecordedAction } from './judge.js';

/** Asked: `<text> <rows|lost|hung|code>`; recorded: `<ordinal> <text> <refusal> <status> <error>`, `-` for none. */
interface Case {
  readonly name: string;
  readonly asked: readonly string[];
  readonly recorded: readonly string[];
  readonly wrong: readonly string[];
}

const cases = JSON.parse(
  readFileSync(new URL('../../cases/chaos-judge.json', import.meta.url), 'utf8'),
) as readonly Case[];

const session = 's1';

const asked = (line: string): Asked => {
  const [submitted = '', how = ''] = line.split(' ');
  const isKind = how === 'rows' || how === 'lost' || how === 'hung';
  return {
    submitted,
    ending: isKind
      ? { what: submitted, kind: how, code: '' }
      : { what: submitted, kind: 'refused', code: how },
  };
};

const orNull = (text = '-'): string | null => (text === '-' ? null : text);

/** The text stands for the commitment to it. */
const recorded = (line: string): RecordedAction => {
  const [ordinal = '', submitted = '', refusal, status, error] = line.split(' ');
  const ended = orNull(status);
  return {
    action: `${session}/${ordinal}`,
    session,
    ordinal: Number(ordinal),
    submitted,
    refusal: orNull(refusal),
    outcome: ended === null ? null : { status: ended, error: orNull(error) },
  };
};

it.each(cases)('$name', ({ asked: asks, recorded: records, wrong }) => {
  const conversation = { agent: 'a', session, asked: asks.map(asked) };
  const found = judge([conversation], records.map(recorded), (action, text) => action.submitted === text);
  expect(found).toEqual(wrong.map((sentence) => `a: ${sentence}`));
});
