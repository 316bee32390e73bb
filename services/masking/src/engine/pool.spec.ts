import { type Facts, opaqueFacts } from '@countersign/contracts';
import { waitUntil } from '@countersign/testing';
import { afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { TargetContext } from '../analysis/index.js';
import { startShop } from '../fixtures/index.js';
import { EnginePool, type PoolOptions, poolDefaults, type ReplacedReason } from './pool.js';

let context: TargetContext;
let pool: EnginePool;
const replaced: ReplacedReason[] = [];

beforeAll(async () => {
  const shop = await startShop();
  context = shop.context;
  await shop.stop();
});
afterEach(async () => {
  await pool.close();
  replaced.length = 0;
});

async function start(options: Partial<PoolOptions> = {}): Promise<void> {
  pool = new EnginePool({ ...poolDefaults, ...options, onReplaced: (reason) => replaced.push(reason) });
  pool.setContext(context);
  await waitUntil(() => pool.readyThreads === (options.threads ?? poolDefaults.threads));
}

async function inspect(statement: string): Promise<Facts> {
  const { facts } = await pool.run({
    kind: 'inspect',
    target: 'shop',
    input: { statement, parameterTypes: [] },
  });
  return JSON.parse(facts) as Facts;
}

/** A statement at the size limit that keeps a parser busy for long. */
const HEAVY = `SELECT ${'1,'.repeat(500_000)}1`;

describe('the pool of parsing threads', () => {
  it('answers, and says where the catalogue is missing', async () => {
    await start();
    expect((await inspect('SELECT 1')).verbs).toEqual(['read']);
    const other = pool.run({
      kind: 'inspect',
      target: 'other',
      input: { statement: '', parameterTypes: [] },
    });
    await expect(other).rejects.toMatchObject({ code: 'masking.catalogue_missing' });
  });

  it('replaces a thread whose parser an input has broken', async () => {
    await start({ threads: 1 });
    // Deep enough for the parser's own stack: WebAssembly gives up in the middle of its work.
    expect(await inspect(`SELECT 1${'+1'.repeat(200_000)}`)).toEqual(opaqueFacts('too-large'));
    expect((await inspect('SELECT 1')).verbs).toEqual(['read']);
    await waitUntil(() => replaced.includes('poisoned'));
  });

  it('kills a thread that takes too long, and goes on', async () => {
    await start({ threads: 2, watchdogMilliseconds: 300 });
    const heavy = inspect(HEAVY);
    expect((await inspect('SELECT 1')).verbs).toEqual(['read']);
    await expect(heavy).rejects.toMatchObject({ code: 'statement.too_complex' });
    expect(replaced).toEqual(['watchdog']);
    await waitUntil(() => pool.readyThreads === 2);
    expect((await inspect('SELECT 1')).verbs).toEqual(['read']);
  });

  it('knows nothing of a statement of too many parts but that it is too large', async () => {
    await start({ watchdogMilliseconds: 20_000 });
    expect(await inspect(HEAVY)).toEqual(opaqueFacts('too-large'));
    expect(replaced).toEqual([]);
  }, 30_000);

  it('recycles a thread after a while without losing a statement', async () => {
    await start({ threads: 1, recycleAfter: 5, watchdogMilliseconds: 60_000 });
    const all = await Promise.all(Array.from({ length: 23 }, () => inspect('SELECT 1')));
    expect(all.every(({ verbs }) => verbs.includes('read'))).toBe(true);
    await waitUntil(() => replaced.length >= 4);
    expect(new Set(replaced)).toEqual(new Set(['recycled']));
  });

  it('refuses what finds no place in the queue, and what is left when it closes', async () => {
    await start({ threads: 1, queueLimit: 2, watchdogMilliseconds: 20_000 });
    const settled = Promise.allSettled(Array.from({ length: 5 }, () => inspect(HEAVY)));
    const closed = pool.close();
    const codes = (await settled).map((each) =>
      each.status === 'rejected' ? (each.reason as { code: string }).code : 'answered',
    );
    await closed;
    expect(codes.slice(0, 3)).toEqual(['service.stopping', 'service.stopping', 'service.stopping']);
    expect(codes.slice(3)).toEqual(['rpc.overloaded', 'rpc.overloaded']);
    await expect(inspect('SELECT 1')).rejects.toMatchObject({ code: 'service.stopping' });
  });

  it('refuses what waits as long as a statement may take', async () => {
    await start({ threads: 1, watchdogMilliseconds: 300 });
    const waiting = [inspect(HEAVY), inspect(HEAVY), inspect('SELECT 1')];
    const codes = (await Promise.allSettled(waiting)).map((each) =>
      each.status === 'rejected' ? (each.reason as { code: string }).code : 'answered',
    );
    expect(codes[0]).toBe('statement.too_complex');
    expect(codes.slice(1).every((code) => code !== 'internal')).toBe(true);
    await waitUntil(() => pool.readyThreads === 1);
    expect((await inspect('SELECT 1')).verbs).toEqual(['read']);
  }, 20_000);
});
