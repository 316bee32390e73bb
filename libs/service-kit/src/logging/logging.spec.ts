import { CountersignError } from '@countersign/errors';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { correlationId, createLogger, redact, redactText, withCorrelation } from './index.js';

const token = 'eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiJhZ2VudC0xIn0.c2lnbmF0dXJl';

/** A logger and the lines it wrote. */
function listening() {
  const lines: Record<string, unknown>[] = [];
  const logger = createLogger('test', 'trace', {
    write: (line) => void lines.push(JSON.parse(line) as Record<string, unknown>),
  });
  return { logger, lines, text: () => JSON.stringify(lines) };
}

describe('text', () => {
  it.each([
    [`sent ${token}.`, /^sent \[redacted token\]\.?$/],
    [`unsigned ${token.split('.').slice(0, 2).join('.')}. end`, /^unsigned \[redacted token\] end$/],
    ['postgres://gateway:hunter2@db:5432/shop', /^postgres:\/\/gateway:\[redacted\]@db:5432\/shop$/],
    ['at kafka+ssl://u:hunter2@k1/', /^at kafka\+ssl:\/\/u:\[redacted\]@k1\/$/],
    ['Authorization: Bearer hunter2hunter2', /^Authorization: Bearer \[redacted\]$/],
    ['x?access_token=hunter2&y=1', /^x\?access_token=\[redacted\]&y=1$/],
    ['-----BEGIN PRIVATE KEY-----\nhunter2\n-----END PRIVATE KEY-----', /^\[redacted key\]$/],
    ['the role reader may not', /^the role reader may not$/],
  ])('%j is redacted', (text, expected) => {
    expect(redactText(text)).toMatch(expected);
    expect(redactText(text)).not.toContain('hunter2');
  });

  it('that is hostile costs little', () => {
    for (const text of ['eyJ', 'a://', 'Bearer ', '-----BEGIN ', 'password=', 'x:', '@', '.']) {
      const began = performance.now();
      redactText(text.repeat(1_000_000));
      expect(performance.now() - began).toBeLessThan(500);
    }
  });
});

describe('a logger', () => {
  it('redacts by key at any depth, in children too', () => {
    const { logger, text } = listening();
    const password = 'hunter2';
    logger.child({ sessionToken: password }).info({
      event: 'x',
      request: { headers: { authorization: password, cookie: password }, list: [{ clientSecret: password }] },
      privateKeyPem: password,
      client_assertion: password,
      api_key: password,
      map: new Map([['password', password]]),
    });
    expect(text()).not.toContain(password);
    expect(text().match(/\[redacted\]/g)).toHaveLength(8);
  });

  it('keeps what is no secret', () => {
    const { logger, lines } = listening();
    logger.info(
      { event: 'ready', privateKeyFile: '/keys/a.pem', tokens: undefined, count: 3n },
      'It is ready.',
    );
    expect(lines[0]).toMatchObject({
      level: 'info',
      service: 'test',
      event: 'ready',
      privateKeyFile: '/keys/a.pem',
      count: '3',
      message: 'It is ready.',
    });
  });

  it('redacts messages, their parts and errors', () => {
    const { logger, text } = listening();
    logger.info(`got ${token}`);
    logger.info('got %s and %j', token, { password: 'hunter2' });
    logger.error(new Error(`bad ${token}`));
    logger.error({ error: new Error('outer', { cause: new Error(`bad ${token}`) }) });
    logger.error({
      err: new Error(`bad ${token}`),
      other: new CountersignError('internal', { cause: new Error(token) }),
    });
    expect(text()).not.toContain('eyJ');
    expect(text()).not.toContain('hunter2');
    expect(text()).toContain('outer');
  });

  it('withholds texts of database errors, which quote values', () => {
    const { logger, lines, text } = listening();
    const error = Object.assign(new Error('invalid input syntax for type integer: "ada@example.test"'), {
      severity: 'ERROR',
      code: '22P02',
      detail: 'Key (email)=(ada@example.test) already exists.',
    });
    logger.error({ error });
    logger.error(error);
    logger.error({ error: new Error('query failed', { cause: error }) }, 'It failed.');
    expect(text()).not.toContain('ada@');
    expect(lines[0]).toMatchObject({ error: { code: '22P02' } });
  });

  it('prints bytes as their count, and survives circles and anything else', () => {
    const { logger, lines } = listening();
    const circle: Record<string, unknown> = { bytes: Buffer.from('hunter2') };
    circle.again = circle;
    logger.info({ circle });
    expect(JSON.stringify(lines)).toContain('[7 bytes]');
    expect(JSON.stringify(lines)).not.toContain('hunter2');
    fc.assert(
      fc.property(
        fc.anything({ withBigInt: true, withDate: true, withMap: true, withTypedArray: true }),
        (value) => {
          logger.info({ value });
          JSON.stringify(redact(value));
        },
      ),
    );
  });

  it('carries the correlation id', async () => {
    const { logger, lines } = listening();
    await withCorrelation('c-1', async () => {
      await Promise.resolve();
      logger.info({ event: 'inside' });
      expect(correlationId()).toBe('c-1');
    });
    logger.info({ event: 'outside' });
    expect(lines.map(({ correlationid }) => correlationid)).toEqual(['c-1', undefined]);
    withCorrelation('not well formed\n', (id) => expect(id).toMatch(/^[0-9a-f-]{36}$/));
  });
});
