import { describe, expect, it } from '@jest/globals';
import { parseKafkaUrl } from './url.js';

describe('the URL of a Kafka event log', () => {
  it.each([
    ['kafka://one', { brokers: ['one:9092'], login: null, tls: null }],
    ['kafka://one:1,two.example:22/', { brokers: ['one:1', 'two.example:22'], login: null, tls: null }],
    [
      'kafka://some%20body:s%40cr:et@one:1?tls=system',
      {
        brokers: ['one:1'],
        login: { mechanism: 'scram-sha-512', username: 'some body', password: { text: 's@cr:et' } },
        tls: 'system',
      },
    ],
    [
      'kafka://policy@one?mechanism=plain&tls=%2Fetc%2Fca.pem&passwordFile=/run/secrets/kafka',
      {
        brokers: ['one:9092'],
        login: { mechanism: 'plain', username: 'policy', password: { file: '/run/secrets/kafka' } },
        tls: '/etc/ca.pem',
      },
    ],
  ])('%s is understood', (url, address) => {
    expect(parseKafkaUrl(url)).toEqual(address);
  });

  it.each([
    'kafka:',
    'kafka://',
    'kafka://one:x',
    'kafka://one,',
    'kafka://[::1]:9092',
    'kafka://one/topic',
    'kafka://one?tls=relative.pem',
    'kafka://one?sasl=yes',
    'kafka://hidden@one',
    'kafka://:hidden@one',
    'kafka://user:hidden%@one',
    'kafka://user:hidden@one?passwordFile=/x',
    'kafka://user:hidden@one?mechanism=md5',
    'kafka://user:hidden@one?mechanism=plain',
  ])('%s is refused, and not repeated', (url) => {
    let refused: unknown;
    try {
      parseKafkaUrl(url);
    } catch (error) {
      refused = error;
    }
    expect(refused).toMatchObject({ code: 'config.invalid' });
    expect(String(refused)).not.toContain('hidden');
  });
});
