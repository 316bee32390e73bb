// Makes load in a process of its own. Reads a LoadOrder from standard input; writes `began` and `ended` around what is
// measured, and then one line of JSON, a LoadReport.
import { text } from 'node:stream/consumers';
import { quantile } from '../statistics.js';
import type { LoadOrder, LoadReport } from './load.driver.js';
import { prepare, query, run } from './messages.js';
import { WireClient } from './wire.client.js';

const order = JSON.parse(await text(process.stdin)) as LoadOrder;
const { statement, keys, connections, warmUpSeconds, seconds } = order;

const say = (line: string): void => {
  process.stdout.write(`${line}\n`);
};

const clients: WireClient[] = [];
for (let index = 0; index < connections; index += 1) {
  const client = await WireClient.open(order.login);
  if (order.mode === 'prepared') await client.exchange(prepare('bench', statement.replace('?', '$1')));
  clients.push(client);
}

const next = (): Buffer => {
  const key = String(1 + Math.floor(Math.random() * keys));
  return order.mode === 'prepared' ? run('bench', [key]) : query(statement.replace('?', key));
};

/** Every connection runs one statement after the other until the time is over. */
async function load(milliseconds: number): Promise<{ latencies: number[]; rows: number; took: number }> {
  const latencies: number[] = [];
  let rows = 0;
  const began = performance.now();
  const end = began + milliseconds;
  await Promise.all(
    clients.map(async (client) => {
      for (let now = performance.now(); now < end; ) {
        rows += await client.exchange(next());
        const after = performance.now();
        latencies.push(after - now);
        now = after;
      }
    }),
  );
  return { latencies, rows, took: (performance.now() - began) / 1000 };
}

const warm = await load(warmUpSeconds * 1000);
say('began');
const { latencies, rows, took } = await load(seconds * 1000);
say('ended');
const ascending = Float64Array.from(latencies).sort();
const report: LoadReport = {
  transactions: latencies.length,
  all: warm.latencies.length + latencies.length,
  rows,
  seconds: took,
  p50: quantile(ascending, 0.5),
  p95: quantile(ascending, 0.95),
};
say(JSON.stringify(report));
for (const client of clients) client.close();
