import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { z } from 'zod';
import { pathOfVariable, settingsOf, variableOfPath } from './environment.js';
import { baseConfiguration, configurationHelp, loadConfiguration, peer, secret } from './index.js';
import { shapeOf } from './shape.js';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'countersign-kit-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const schema = z.object({
  ...baseConfiguration,
  policy: peer.describe('the policy service'),
  retries: z.int().min(0).default(3).describe('how often it tries again'),
  dryRun: z.boolean().default(false).describe('decide, but let nothing run'),
  tags: z.array(z.string()).default([]).describe('words'),
  targets: z
    .record(z.string(), z.object({ url: z.string(), password: secret('of the database role') }))
    .default({})
    .describe('by name'),
});

const valid = `
instance: one
grpc: { address: "unix:/run/countersign/x.sock" }
eventLog: postgres://store/log
identity: { certificateFile: a.pem, privateKeyFile: b.pem }
policy: { address: "unix:/run/countersign/policy.sock" }
`;

function load(text: string, env: Record<string, string> = {}) {
  const file = join(folder, 'settings.yaml');
  writeFileSync(file, text);
  return loadConfiguration(schema, { service: 'masking', argv: ['--config', file], env });
}

function complaint(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    const { code, message } = error as { code: string; message: string };
    expect(code).toBe('config.invalid');
    return message;
  }
  return 'none';
}

describe('a configuration', () => {
  it('takes defaults, the file and over it the environment', () => {
    const configuration = load(`${valid}\nretries: 5\nhttp: { port: 8081 }`, {
      COUNTERSIGN_RETRIES: '7',
      COUNTERSIGN_HTTP__BODY_LIMIT_BYTES: '2048',
      COUNTERSIGN_DRY_RUN: 'true',
      COUNTERSIGN_TAGS: '[a, b]',
      COUNTERSIGN_INSTANCE: '12',
      UNRELATED: 'x',
    });
    expect(configuration).toMatchObject({
      instance: '12',
      retries: 7,
      dryRun: true,
      tags: ['a', 'b'],
      http: { host: '127.0.0.1', port: 8081, bodyLimitBytes: 2048 },
      policy: { deadlineMilliseconds: 5000 },
    });
  });

  it('may be JSON, or come from the environment alone', () => {
    expect(
      load(JSON.stringify({ ...JSON.parse('{}'), instance: 'j' }), {
        COUNTERSIGN_GRPC__ADDRESS: '127.0.0.1:1',
        COUNTERSIGN_EVENT_LOG: 'postgres://x/y',
        COUNTERSIGN_IDENTITY__CERTIFICATE_FILE: 'a',
        COUNTERSIGN_IDENTITY__PRIVATE_KEY_FILE: 'b',
        COUNTERSIGN_POLICY__ADDRESS: '127.0.0.1:2',
      }),
    ).toMatchObject({ instance: 'j', grpc: { address: '127.0.0.1:1' }, eventLog: 'postgres://x/y' });
  });

  it('names every wrong key with what is expected, and repeats no value', () => {
    const message = complaint(() =>
      load(
        'instance: "Not Right"\nretries: many-of-4111\ngrpc: { adress: x }\nwhatever: 1\npolicy: { address: 7 }',
        {
          COUNTERSIGN_HTTP__PORT: '70000',
          COUNTERSIGN_HTPP__PORT: '1',
        },
      ),
    );
    for (const part of [
      'instance (COUNTERSIGN_INSTANCE): expected 1 to 63',
      'retries (COUNTERSIGN_RETRIES): Invalid input: expected number',
      'grpc.adress: no such key',
      'grpc.address (COUNTERSIGN_GRPC__ADDRESS)',
      'whatever: no such key',
      'policy.address (COUNTERSIGN_POLICY__ADDRESS)',
      'http.port (COUNTERSIGN_HTTP__PORT): Too big',
      'COUNTERSIGN_HTPP__PORT: no such key',
      'eventLog (COUNTERSIGN_EVENT_LOG)',
      'identity (COUNTERSIGN_IDENTITY)',
    ]) {
      expect(message).toContain(part);
    }
    expect(message).not.toMatch(/4111|Not Right|70000/);
  });

  it.each([
    ['a file that is not there', ['--config', '/nowhere/x.yaml'], 'ENOENT'],
    ['an argument that is not known', ['--confg', 'x'], 'Known arguments'],
    ['a positional argument', ['x.yaml'], 'Known arguments'],
  ])('says what is wrong with %s', (_, argv, part) => {
    expect(complaint(() => loadConfiguration(schema, { service: 'x', argv, env: {} }))).toContain(part);
  });

  it.each(['{', 'a: b: c', '- 1', 'just words', `a: ${'x'.repeat(70_000)}`])(
    'refuses the file %.20j',
    (text) => {
      expect(complaint(() => load(text))).not.toBe('none');
    },
  );

  it('refuses a file that unfolds itself', () => {
    const levels = Array.from(
      { length: 9 },
      (_, level) => `l${level + 1}: &l${level + 1} [${Array(9).fill(`*l${level}`)}]`,
    );
    const began = Date.now();
    expect(complaint(() => load(`l0: &l0 [x,x,x,x,x,x,x,x,x]\n${levels.join('\n')}`))).not.toBe('none');
    expect(Date.now() - began).toBeLessThan(2000);
  });

  it('leaves alone what Kubernetes and the command line tool set', () => {
    load(valid, {
      COUNTERSIGN_POLICY_SERVICE_HOST: '10.0.0.1',
      COUNTERSIGN_POLICY_SERVICE_PORT: '1',
      COUNTERSIGN_POLICY_PORT: 'tcp://10.0.0.1:1',
      COUNTERSIGN_POLICY_PORT_1_TCP_ADDR: '10.0.0.1',
      COUNTERSIGN_CLI_URL: 'x',
    });
  });
});

describe('a secret', () => {
  const target = (password: string) => `${valid}\ntargets: { shop: { url: x, password: ${password} } }`;

  it('comes from a file, and is read anew each time', () => {
    const file = join(folder, 'password');
    writeFileSync(file, 'first\n');
    const { targets } = load(target(`{ file: ${file} }`));
    expect(targets.shop?.password.reveal()).toBe('first');
    writeFileSync(file, 'second');
    expect(targets.shop?.password.reveal()).toBe('second');
  });

  it('comes from the environment', () => {
    const configuration = load(target('{ file: /nowhere }'), {
      COUNTERSIGN_TARGETS__SHOP__PASSWORD: 'third',
    });
    expect(configuration.targets.shop?.password.reveal()).toBe('third');
  });

  it('shows itself nowhere', () => {
    const configuration = load(valid, {
      COUNTERSIGN_TARGETS__SHOP__URL: 'u',
      COUNTERSIGN_TARGETS__SHOP__PASSWORD: 'hunter2',
    });
    const shown = [
      JSON.stringify(configuration),
      inspect(configuration, { depth: 9, showHidden: true }),
      `${configuration.targets.shop?.password}`,
    ];
    expect(shown.join()).not.toContain('hunter2');
  });

  it.each([
    ['its text in the file', 'hunter2'],
    ['the form of the environment in the file', '{ environment: hunter2 }'],
    ['a file that is not there', '{ file: /nowhere/password }'],
  ])('is refused as %s', (_, password) => {
    const message = complaint(() => load(target(password)));
    expect(message).toContain('targets.shop.password');
    expect(message).not.toContain('hunter2');
  });
});

describe('the help', () => {
  it('prints every key with its variable, default and description', () => {
    const help = configurationHelp('masking', schema);
    for (const part of [
      'retries  (integer)\n      how often it tries again\n      default: 3\n      COUNTERSIGN_RETRIES',
      'COUNTERSIGN_HTTP__PORT',
      'grpc.tls.authorityFile',
      'COUNTERSIGN_TARGETS__<NAME>__PASSWORD',
      'instance  (string, required)',
    ]) {
      expect(help).toContain(part);
    }
  });
});

describe('names of variables', () => {
  it('lead to the path they were made from', () => {
    const key = fc.stringMatching(/^[a-z][a-z0-9]*([A-Z][a-z0-9]+){0,3}$/);
    fc.assert(
      fc.property(fc.array(key, { minLength: 1, maxLength: 4 }), (path) => {
        expect(pathOfVariable(variableOfPath(path))).toEqual(path);
      }),
    );
  });

  it('of any form and content set something, or are named, or are ignored', () => {
    const shape = shapeOf(schema);
    fc.assert(
      fc.property(fc.dictionary(fc.stringMatching(/^COUNTERSIGN_[A-Z_0-9]{0,30}$/), fc.string()), (env) => {
        const { values, unknown } = settingsOf(shape, env);
        expect(Object.getPrototypeOf(values)).toBe(Object.prototype);
        expect(unknown.length).toBeLessThanOrEqual(Object.keys(env).length);
      }),
    );
    expect(
      settingsOf(shape, { COUNTERSIGN___PROTO__: 'x', COUNTERSIGN_TARGETS____PROTO____X: 'y' }).values,
    ).toEqual({});
    expect(({} as { x?: unknown }).x).toBeUndefined();
  });
});
