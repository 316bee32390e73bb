import { readFileSync } from 'node:fs';
import { expect, it } from '@jest/globals';
import type { RecordedAction } from './judge.js';
import { judgeRequests, type Requested } from './judge-requests.js';

/** Requested: `<action> <rows|lost|code>`; seen: the action; recorded: `<action> <refusal> <status> <error>`; `-` for none. */
interface Case {
  readonly name: string;
  readonly requested: readonly string[];
  readonly seen: readonly string[];
  readonly recorded: readonly string[];
  readonly wrong: readonly string[];
}

const cases = JSON.parse(
  readFileSync(new URL('../../cases/chaos-judge-requests.json', import.meta.url), 'utf8'),
) as readonly Case[];

const orNull = (text = '-'): string | null => (text === '-' ? null : text);

const requested = (line: string): Requested => {
  const [action, how = ''] = line.split(' ');
  const what = 'GET /';
  const ending =
    how === 'rows' || how === 'lost'
      ? ({ what, kind: how, code: '' } as const)
      : ({ what, kind: 'refused', code: how } as const);
  return { action: orNull(action), ending };
};

const recorded = (line: string): RecordedAction => {
  const [action = '', refusal, status, error] = line.split(' ');
  const ended = orNull(status);
  return {
    action,
    session: 's1',
    ordinal: 0,
    submitted: '',
    refusal: orNull(refusal),
    outcome: ended === null ? null : { status: ended, error: orNull(error) },
  };
};

it.each(cases)('$name', ({ requested: requests, seen, recorded: records, wrong }) => {
  const found = judgeRequests(
    requests.map(requested),
    seen.map((action) => ({ action: orNull(action) })),
    records.map(recorded),
  );
  expect(found).toEqual(wrong);
});
