import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { momentOf, secondsOf } from './duration.js';
import { ensureKeyFile, readKeyFile } from './key-file.store.js';
import { resolveSettings } from './settings.store.js';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'countersign-cli-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

describe('periods', () => {
  it.each([
    ['90s', 90],
    ['15m', 900],
    ['8h', 28_800],
    ['7d', 604_800],
  ])('%s', (text, seconds) => expect(secondsOf(text)).toBe(seconds));
  it.each(['', '8', 'h', '-1h', '1.5h', '1 h', '1w'])('refuses %j', (text) => {
    expect(() => secondsOf(text)).toThrow('looks like');
  });
  it('tells moments from now', () => {
    expect(momentOf(60, 0)).toBe('1970-01-01 00:01:00 UTC (in 60 s)');
    expect(momentOf(0, 7200)).toBe('1970-01-01 00:00:00 UTC (2 h ago)');
  });
});

describe('key files', () => {
  it('makes a key for its owner alone, once', () => {
    const file = join(folder, 'new.pem');
    const made = ensureKeyFile(file);
    expect(made.made).toBe(true);
    if (process.platform !== 'win32') expect(statSync(file).mode & 0o777).toBe(0o600);
    const text = readFileSync(file, 'utf8');
    const again = ensureKeyFile(file);
    expect(again).toMatchObject({ made: false, publicKey: made.publicKey });
    expect(readFileSync(file, 'utf8')).toBe(text);
  });

  it('refuses a key that others may read, and what is no key', () => {
    const file = join(folder, 'open.pem');
    ensureKeyFile(file);
    if (process.platform !== 'win32') {
      chmodSync(file, 0o644);
      expect(() => readKeyFile(file)).toThrow('Others may read');
    }
    const other = join(folder, 'other.pem');
    writeFileSync(other, 'nothing', { mode: 0o600 });
    expect(() => ensureKeyFile(other)).toThrow('no PEM private key');
    expect(readFileSync(other, 'utf8')).toBe('nothing');
    expect(() => readKeyFile(join(folder, 'absent.pem'))).toThrow('ENOENT');
  });
});

describe('settings', () => {
  const none = () => ({ XDG_CONFIG_HOME: join(folder, 'none') });
  it('prefers flags to the environment to the file', () => {
    const config = join(folder, 'cli.json');
    writeFileSync(config, JSON.stringify({ url: 'http://file:1', id: 'person:file', key: 'file.pem' }));
    const environment = {
      ...none(),
      COUNTERSIGN_CLI_CONFIG: config,
      COUNTERSIGN_CLI_ID: 'person:environment',
    };
    expect(resolveSettings({ key: 'flag.pem' }, environment)).toEqual({
      url: 'http://file:1',
      issuer: 'urn:countersign:approval',
      id: 'person:environment',
      key: 'flag.pem',
    });
  });
  it('needs no file', () => {
    expect(resolveSettings({}, none()).url).toMatch(/^http/);
  });
  it('names what is wrong without repeating it', () => {
    const config = join(folder, 'wrong.json');
    writeFileSync(config, '{"tokn":"secret"}');
    expect(() => resolveSettings({ config }, none())).toThrow(/must be a JSON file/);
    expect(() => resolveSettings({ url: 'nonsense' }, none())).toThrow('url');
    expect(() => resolveSettings({ config: join(folder, 'absent.json') }, none())).toThrow('absent.json');
  });
});
