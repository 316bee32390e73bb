import { readFileSync } from 'node:fs';
import type { Operation } from '@countersign/contracts';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { FORWARDED, isJson, readHeaders, waitOf } from './headers.js';
import { Routes, readTemplate } from './operations.js';
import { type Destination, prepare, requestOf } from './prepare.js';
import { readTarget } from './target.js';

const casesOf = <Cases>(file: string): Cases =>
  JSON.parse(readFileSync(new URL(`../../../../cases/${file}`, import.meta.url), 'utf8')) as Cases;

const operationOf = (operation: string, labels: Record<string, string> = {}): Operation => ({
  operation,
  object: 'clinic.things',
  verbs: ['read'],
  risks: [],
  query: {},
  path: {},
  body: [],
  labels,
  rows: null,
});

const targets = casesOf<{
  read: { name: string; target: string; segments: string[]; query: string[] }[];
  refused: { name: string; target: string; why: string }[];
}>('http-targets.json');

describe('a request target', () => {
  it.each(targets.read)('is read: $name', ({ target, segments, query }) => {
    expect(readTarget(target)).toEqual({ text: target, segments, query });
  });

  it.each(targets.refused)('is refused: $name', ({ target, why }) => {
    expect(readTarget(target)).toEqual({ ambiguity: expect.stringContaining(why) });
  });

  it('is refused where it is too long', () => {
    expect(readTarget(`/${'a'.repeat(8200)}`)).toHaveProperty('ambiguity');
  });

  it('means the same to whoever normalises it, once it is read', () => {
    const characters = fc.constantFrom(
      ...'/.%?&=;\\#abAZ09~:@+ é'.split(''),
      '%2E',
      '%2F',
      '%41',
      '%C3%A9',
      '..',
    );
    fc.assert(
      fc.property(fc.array(characters, { maxLength: 12 }), (parts) => {
        const text = `/${parts.join('')}`;
        const read = readTarget(text);
        if ('ambiguity' in read) return;
        const url = new URL(`http://host${text}`);
        expect(`${url.pathname}${url.search}`).toBe(text);
        expect(url.pathname.slice(1).split('/').map(decodeURIComponent)).toEqual(read.segments);
        expect([...new URLSearchParams(url.search).keys()].sort()).toEqual(read.query);
      }),
      { numRuns: 3000 },
    );
  });
});

const operations = casesOf<{
  operations: string[];
  matches: [string, string, string | null][];
  wrong: [string, string][];
}>('http-operations.json');

describe('declared operations', () => {
  const routes = new Routes(operations.operations.map((name) => operationOf(name)));

  it.each(operations.matches)('%s %s is %s', (method, path, expected) => {
    expect(routes.match(method, path.slice(1).split('/'))?.operation ?? null).toBe(expected);
  });

  it.each(operations.wrong)('refuse the template %s', (template, why) => {
    expect(readTemplate(template)).toEqual(expect.stringContaining(why));
  });

  it('refuse two of which nobody could tell which is meant', () => {
    expect(() => new Routes([operationOf('GET /a/{b}'), operationOf('GET /a/{c}')])).toThrow(/twice/);
  });
});

describe('headers', () => {
  const cases = casesOf<{ name: string; headers: string[]; why: string | null }[]>('http-headers.json');
  it.each(cases)('$name', ({ headers, why }) => {
    const read = readHeaders(headers, new Set(FORWARDED));
    if (why === null) expect(read).toBeInstanceOf(Map);
    else expect(read).toEqual({ ambiguity: expect.stringContaining(why) });
  });

  it.each([
    ['application/json', true],
    ['application/json; charset=UTF-8', true],
    ['application/vnd.api+json', true],
    ['application/json; charset=latin1', false],
    ['text/json', false],
    ['text/html', false],
    ['application/jsonx', false],
  ])('%s is JSON: %s', (contentType, expected) => {
    expect(isJson(contentType)).toBe(expected);
  });

  it.each([
    [undefined, 0],
    ['wait=5', 5000],
    ['respond-async, wait = 10', 10_000],
    ['wait=x', 0],
    ['await=5', 0],
  ])('the preference %s waits %s ms', (prefer, expected) => {
    expect(waitOf(prefer)).toBe(expected);
  });
});

describe('a prepared request', () => {
  const destination: Destination = {
    routes: new Routes([operationOf('GET /things', { '/name': 'person.name' }), operationOf('POST /things')]),
    authority: 'target:8080',
    basePath: '/base',
    forwarded: new Set(FORWARDED),
  };
  const received = {
    method: 'POST',
    httpVersion: '1.1',
    target: '/things?b=1&a=2',
    rawHeaders: [
      'Host',
      'gateway',
      'Authorization',
      'Bearer secret',
      'Content-Type',
      'application/json',
      'Cookie',
      'c',
    ],
  };

  it('is what the target gets, without credentials of the agent', () => {
    const prepared = prepare(received, destination);
    if ('code' in prepared) throw new Error(prepared.detail);
    const request = requestOf(prepared, Buffer.from('{}'));
    expect(request.head).toBe(
      'POST /base/things?b=1&a=2 HTTP/1.1\r\naccept-encoding: identity\r\ncontent-type: application/json\r\nhost: target:8080\r\ncontent-length: 2\r\n\r\n',
    );
    expect(JSON.parse(request.text)).toEqual({
      version: 1,
      method: 'POST',
      operation: 'POST /things',
      query: ['a', 'b'],
      body: 'application/json',
    });
  });

  it('asks for JSON where the answer is masked', () => {
    const prepared = prepare(
      { ...received, method: 'GET', rawHeaders: ['Host', 'h', 'Accept', 'text/html'] },
      destination,
    );
    expect(prepared).toMatchObject({
      forwarded: [
        ['accept', 'application/json'],
        ['accept-encoding', 'identity'],
        ['host', 'target:8080'],
      ],
    });
  });

  it.each([
    [{ httpVersion: '1.0' }, 'protocol.unsupported'],
    [{ method: 'TRACE' }, 'protocol.unsupported'],
    [{ method: 'HEAD' }, 'protocol.unsupported'],
    [{ rawHeaders: ['Host', 'h', 'Upgrade', 'h2c'] }, 'protocol.unsupported'],
    [{ target: '/../things' }, 'http.ambiguous'],
    [{ rawHeaders: [] }, 'http.ambiguous'],
  ])('%j is refused as %s', (change, code) => {
    expect(prepare({ ...received, ...change }, destination)).toMatchObject({ code });
  });
});
