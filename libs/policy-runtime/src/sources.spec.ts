import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';
import { policies } from './fixtures/policies.js';

/** The first run of opa on a machine compiles it, which takes minutes. */
const patience = 600_000;

function run(script: string): { status: number | null; output: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [fileURLToPath(new URL(script, policies))], {
    encoding: 'utf8',
  });
  process.stdout.write(
    stdout
      .split('\n')
      .filter((line) => line.startsWith('SKIP'))
      .join('\n'),
  );
  return { status, output: `${stdout}${stderr}` };
}

describe('the sources of the policy', () => {
  it(
    'are those of the committed bundle, formatted, strict and tested',
    () => {
      expect(run('check.mjs')).toMatchObject({ status: 0 });
    },
    patience,
  );

  it(
    'are held by cases: each mutation is noticed, and each case is the only one to notice some',
    () => {
      expect(run('mutate.mjs')).toMatchObject({ status: 0 });
    },
    patience,
  );
});
