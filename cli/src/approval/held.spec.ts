import { describe, expect, it } from '@jest/globals';
import { shownParts } from './held.js';

const base64 = (text: string | Buffer): string => Buffer.from(text).toString('base64');

describe('what is held', () => {
  it('is a statement with its parameters', () => {
    const content = {
      statement: 'DELETE FROM a',
      parameters: [base64('x'), null, base64(Buffer.from([255]))],
    };
    expect(shownParts('postgresql', content)).toEqual([
      { title: 'exactly this will run, once', text: 'DELETE FROM a' },
      { title: 'parameter', text: '$1 = x' },
      { title: 'parameter', text: '$2 = NULL' },
      { title: 'parameter', text: '$3 = bytes ff' },
    ]);
  });

  it('says of a parameter in binary form what it means, and what it is', () => {
    const content = {
      statement: 'DELETE FROM a WHERE id = $1',
      parameters: [base64(Buffer.from([0, 0, 0, 7])), null],
      binary: [{ shown: '7 (int4)' }, { shown: 'NULL' }],
    };
    expect(shownParts('postgresql', content).slice(1)).toEqual([
      { title: 'parameter', text: '$1 = 7 (int4), in binary form 00000007' },
      { title: 'parameter', text: '$2 = NULL' },
    ]);
  });

  it('is a request with its head and its body', () => {
    const head = 'DELETE /v1/notes?all=1 HTTP/1.1\r\ncontent-type: application/json\r\nhost: api\r\n\r\n';
    expect(shownParts('http', { statement: head, parameters: [base64('{"a":1}')] })).toEqual([
      {
        title: 'exactly this request will be sent, once',
        text: 'DELETE /v1/notes?all=1 HTTP/1.1\ncontent-type: application/json\nhost: api',
      },
      { title: 'with this body', text: '{"a":1}' },
    ]);
    expect(shownParts('http', { statement: head, parameters: [] })[1]).toEqual({
      title: 'with this body',
      text: '(none)',
    });
    expect(shownParts('http', { statement: head, parameters: [base64(Buffer.from([0xff]))] })[1]?.text).toBe(
      'bytes ff',
    );
  });
});
