import { CountersignError } from '@countersign/errors';
import { describe, expect, it } from '@jest/globals';
import { NotFoundException } from '@nestjs/common';
import { z } from 'zod';
import { parseRequest, problemOf } from './index.js';

const person = z.object({
  name: z.string().max(5),
  born: z.object({ year: z.int() }),
  tags: z.array(z.string()),
});

describe('a request', () => {
  it('that fits is what the schema makes of it', () => {
    const value = { name: 'Ada', born: { year: 1815 }, tags: [] };
    expect(parseRequest(person, value)).toEqual(value);
  });

  it.each([
    [undefined, 'expected object'],
    [{ name: 'Augusta', born: { year: 1815 }, tags: [] }, 'name: Too big'],
    [
      { name: 'Ada', born: { year: 'x' }, tags: [1] },
      'born.year: Invalid input: expected number, received string; tags.0:',
    ],
  ])('%j is refused by field', (value, part) => {
    const parse = () => parseRequest(person, value);
    expect(parse).toThrow(
      expect.objectContaining({ code: 'request.invalid', message: expect.stringContaining(part) }),
    );
    expect(parse).not.toThrow(/Augusta/);
  });

  it('with very many wrong fields gets a short answer', () => {
    const parse = () => parseRequest(z.array(z.string()), Array(10_000).fill(1));
    expect(parse).toThrow(/9990 more/);
  });
});

describe('a problem', () => {
  it.each([
    [new CountersignError('policy.denied'), 'policy.denied'],
    [new NotFoundException('secret'), 'http.not_found'],
    [Object.assign(new Error('secret'), { status: 413, type: 'entity.too.large' }), 'request.too_large'],
    [Object.assign(new Error('secret'), { status: 415, type: 'encoding.unsupported' }), 'request.invalid'],
    [new Error('secret'), 'internal'],
    ['secret', 'internal'],
    [undefined, 'internal'],
    [Object.assign(new Error('secret'), { status: 200 }), 'internal'],
  ])('of %s is %s', (thrown, code) => {
    const error = problemOf(thrown);
    expect(error.code).toBe(code);
    expect(error.message).not.toContain('secret');
  });
});
