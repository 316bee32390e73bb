import { describe, expect, it } from '@jest/globals';
import { defaultDataFolder, parseOptions } from './options.js';

describe('options', () => {
  it('have sensible defaults', () => {
    const options = parseOptions([], '/srv/countersign');
    expect([options.once, options.tour, options.port]).toEqual([false, true, 15432]);
  });

  it('take a folder and a port', () => {
    const options = parseOptions(['--once', '--data', '/tmp/x', '--port', '20000'], '/srv/countersign');
    expect(options).toEqual({
      once: true,
      tour: true,
      data: '/tmp/x',
      port: 20000,
      eventLog: 'postgres',
    });
  });

  it('keep events in PostgreSQL, in a broker of their own, or in a cluster', () => {
    const eventLog = (argv: string[], url?: string) =>
      parseOptions(argv, '/srv/countersign', { EVENT_LOG_URL: url }).eventLog;
    expect(eventLog([])).toBe('postgres');
    expect(eventLog(['--kafka'], '')).toBe('kafka');
    expect(eventLog([], 'kafka://one:9092')).toBe('kafka://one:9092');
  });

  it('keep state in the checkout, but under root where another user can reach it', () => {
    expect(defaultDataFolder('/srv/countersign', false, '/home/x')).toBe('/srv/countersign/.countersign');
    expect(defaultDataFolder('/srv/countersign', true, '/root')).toMatch(
      /^\/var\/lib\/countersign\/[0-9a-f]{12}$/,
    );
    expect(defaultDataFolder('/srv/other', true, '/root')).not.toBe(
      defaultDataFolder('/srv/countersign', true, '/root'),
    );
  });
});
