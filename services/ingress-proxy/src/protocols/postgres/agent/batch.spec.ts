import { describe, expect, it } from '@jest/globals';
import type { FrontendMessage } from '../codec/index.js';
import {
  type Effect,
  effectOf,
  emptyRegistry,
  isEmptyText,
  mayRunBeforeOthers,
  type Registry,
} from './batch.js';

const parse = (name = '', held = 'SELECT 1'): FrontendMessage => ({
  kind: 'parse',
  name,
  text: held,
  parameterTypes: [],
});
const bind = (portal = '', statement = ''): FrontendMessage => ({
  kind: 'bind',
  portal,
  statement,
  parameters: [],
  parameterFormats: [],
  resultFormats: [],
  validText: true,
});
const describeOf = (what: 'statement' | 'portal', name = ''): FrontendMessage => ({
  kind: 'describe',
  what,
  name,
});
const execute = (portal = '', maximumRows = 0): FrontendMessage => ({ kind: 'execute', portal, maximumRows });
const close = (what: 'statement' | 'portal', name = ''): FrontendMessage => ({ kind: 'close', what, name });

/** What each message of a batch comes to, in one word, as long as none fails. */
function effects(messages: readonly FrontendMessage[]): readonly string[] {
  let registry: Registry = emptyRegistry;
  const words: string[] = [];
  for (const [index] of messages.entries()) {
    const effect: Effect = effectOf(messages, index, registry);
    words.push(effect.do);
    if (effect.do === 'reply' || effect.do === 'run') registry = effect.registry;
    if (effect.do === 'fail' || effect.do === 'refuse') break;
  }
  return words;
}

describe('a batch of the extended protocol', () => {
  const cases: readonly (readonly [string, readonly FrontendMessage[], readonly string[]])[] = [
    [
      'runs what pg sends',
      [parse(), bind(), describeOf('portal'), execute()],
      ['reply', 'reply', 'later', 'run'],
    ],
    [
      'runs what psql sends',
      [parse(), describeOf('statement'), bind(), describeOf('portal'), execute()],
      ['reply', 'later', 'reply', 'later', 'run'],
    ],
    ['keeps what is only parsed', [parse('a')], ['reply']],
    ['prepares what is only described', [parse('a'), describeOf('statement', 'a')], ['reply', 'prepare']],
    [
      'prepares what is described and then replaced',
      [parse(), describeOf('statement'), parse('', 'SELECT 2'), bind(), execute()],
      ['reply', 'prepare', 'reply', 'reply', 'run'],
    ],
    ['fails a second statement of a name', [parse('a'), parse('a')], ['reply', 'fail']],
    ['fails a second portal of a name', [parse(), bind('p'), bind('p')], ['reply', 'reply', 'fail']],
    ['fails what is not there', [bind('', 'a')], ['fail']],
    ['fails a portal that ran', [parse(), bind(), execute(), execute()], ['reply', 'reply', 'run', 'fail']],
    [
      'forgets what is closed',
      [parse('a'), close('statement', 'a'), bind('', 'a')],
      ['reply', 'reply', 'fail'],
    ],
    ['closes what is not there', [close('portal', 'nothing')], ['reply']],
  ];

  it.each(cases)('%s', (_what, messages, expected) => {
    expect(effects(messages)).toEqual(expected);
  });

  it('is bounded in what it keeps', () => {
    const large = 'x'.repeat(1024 * 1024);
    const many = Array.from({ length: 600 }, (_, index) => parse(`s${index}`));
    const heavy = Array.from({ length: 12 }, (_, index) => parse(`s${index}`, large));
    expect([effects(many).at(-1), effects(heavy).at(-1)]).toEqual(['fail', 'fail']);
  });

  it.each([
    ['BEGIN', true],
    [' start transaction read only;', true],
    ['BEGIN; DELETE FROM t', false],
    ['BEGINNING', false],
    ['SELECT 1', false],
  ])('lets %j run before others outside a transaction: %s', (held, expected) => {
    expect(mayRunBeforeOthers(held, false)).toBe(expected);
    expect(mayRunBeforeOthers(held, true)).toBe(true);
  });

  it('knows an empty text', () => {
    expect([isEmptyText(''), isEmptyText(' ;\n; '), isEmptyText('-- x')]).toEqual([true, true, false]);
  });
});
