import { CountersignError } from '@countersign/errors';
import { expect, it } from '@jest/globals';
import { explained } from './failures.js';

it.each(['ENOSPC', 'EDQUOT', '53100'])('a full disk is called that, wherever it says %s', (code) => {
  const failure = Object.assign(new Error('no space'), { code });
  for (const thrown of [failure, new Error('wrapped', { cause: failure })]) {
    expect(explained(thrown, '/srv/state')).toMatchObject({
      code: 'service.disk_full',
      detail: 'State is kept in /srv/state.',
    });
  }
});

it('everything else is what it was', () => {
  const known = new CountersignError('service.port_in_use');
  expect(explained(known, '/srv/state')).toBe(known);
  expect(explained(new Error('odd'), '/srv/state')).toMatchObject({ code: 'internal' });
  expect(explained('odd', '/srv/state')).toMatchObject({ code: 'internal' });
});
