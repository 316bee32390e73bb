import { describe, expect, it } from '@jest/globals';
import { Announcements } from './announcements.js';

describe('announcements', () => {
  it('tell the latest value at once and each change after it', async () => {
    const announcements = new Announcements<string>();
    const ending = new AbortController();
    announcements.announce('one');
    announcements.announce('two');
    const reader = announcements.follow(ending.signal);
    expect((await reader.next()).value).toBe('two');
    const next = reader.next();
    announcements.announce('three');
    expect((await next).value).toBe('three');
    ending.abort();
    expect(await reader.next()).toEqual({ done: true, value: undefined });
  });

  it('tell a slow reader the last value only', async () => {
    const announcements = new Announcements<number>();
    const reader = announcements.follow(new AbortController().signal);
    const first = reader.next();
    announcements.announce(1);
    announcements.announce(2);
    expect((await first).value).toBe(2);
    announcements.announce(3);
    announcements.announce(4);
    expect((await reader.next()).value).toBe(4);
  });

  it('end a reader that waits', async () => {
    const ending = new AbortController();
    const waiting = new Announcements<number>().follow(ending.signal).next();
    ending.abort();
    expect(await waiting).toEqual({ done: true, value: undefined });
  });
});
