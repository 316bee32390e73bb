import { describe, expect, it } from '@jest/globals';
import { configuration } from './configuration.js';
import { targetsOf } from './targets/index.js';

const target = { name: 'shop', host: '127.0.0.1', port: 5432, database: 'd', user: 'u', schemas: ['shop'] };
const isPrivate = (host: string): boolean => host === '127.0.0.1' || host.startsWith('/');
const never = (): string => {
  throw new Error('no file is read');
};

describe('targets of the configuration', () => {
  it('are told by name', () => {
    const targets = targetsOf([target, { ...target, name: 'other' }], never, isPrivate);
    expect([...targets.keys()]).toEqual(['shop', 'other']);
    expect(targets.get('shop')?.password()).toBeNull();
  });

  it('are refused twice, and in clear over a network', () => {
    expect(() => targetsOf([target, target], never, isPrivate)).toThrow(/twice/);
    expect(() => targetsOf([{ ...target, host: 'db.example.com' }], never, isPrivate)).toThrow(/TLS/);
    expect(() => targetsOf([{ ...target, host: 'db.example.com', tls: {} }], never, isPrivate)).not.toThrow();
    expect(() => targetsOf([{ ...target, host: '/var/run/postgresql' }], never, isPrivate)).not.toThrow();
  });
});

describe('the configuration', () => {
  it('describes every key', () => {
    const described = configuration.shape;
    for (const [key, schema] of Object.entries(described)) {
      expect([key, typeof schema.description]).toEqual([key, 'string']);
    }
  });
});
