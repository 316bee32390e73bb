import { readFileSync } from 'node:fs';
import { expect, it } from '@jest/globals';
import { errorsPage } from './errors-page.js';

it('docs/errors.md says what the catalogue says', () => {
  const written = readFileSync(new URL('../../../docs/errors.md', import.meta.url), 'utf8');
  expect(written).toBe(errorsPage());
});
