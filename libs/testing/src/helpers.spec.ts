import { existsSync, statSync } from 'node:fs';
import { createServer } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import { freePort, temporaryFolder, waitUntil } from './index.js';

describe('freePort', () => {
  it('gives a port below the ephemeral range that can be listened at', async () => {
    const port = await freePort();
    expect(port).toBeLessThan(32_768);
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
    await new Promise((resolve) => server.close(resolve));
  });
});

describe('temporaryFolder', () => {
  it('is private and can be removed', async () => {
    let path = '';
    {
      const folder = await temporaryFolder();
      try {
        path = folder.path;
        expect(statSync(path).mode & 0o777).toBe(0o700);
      } finally {
        await folder.remove();
      }
    }
    expect(existsSync(path)).toBe(false);
  });
});

describe('waitUntil', () => {
  it('returns the first truthy answer and takes errors for "not yet"', async () => {
    let looks = 0;
    const answer = await waitUntil(
      () => {
        looks += 1;
        if (looks < 2) throw new Error('not yet');
        return looks > 2 && 'done';
      },
      { interval: 1 },
    );
    expect([answer, looks]).toEqual(['done', 3]);
  });

  it('says what it waited for, and why it was in vain', async () => {
    const failing = waitUntil(
      () => {
        throw new Error('still broken');
      },
      { timeout: 5, interval: 1, what: 'rain' },
    );
    await expect(failing).rejects.toThrow('Waited 5 ms in vain for rain.');
    await expect(failing).rejects.toMatchObject({ cause: { message: 'still broken' } });
  });
});
