import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { openProducer, type Producer } from '@countersign/ledger';
import type { Measurement } from '../results.js';
import type { Gateway } from '../stage.driver.js';
import { quantile } from '../statistics.js';
import { type Round, takeTurns, type Way } from '../ways.js';
import { actionDrafts } from './action-drafts.js';
import type { Workload } from './workload.js';

/** Events of one append, as a busy ingress gathers them. */
const batch = 60;
/** Events a second of the steady flow in which delays are measured. */
const steady = 500;

async function producerOf({ kind, installation }: Gateway) {
  const log = await kind.openLog(installation);
  const instance = 'bench';
  const files = await installation.deployment.secrets.identity('ingress-proxy', instance);
  const producer = await openProducer({
    log,
    service: 'ingress-proxy',
    instance,
    identity: {
      certificatePem: await readFile(files.certificateFile, 'utf8'),
      privateKeyPem: await readFile(files.privateKeyFile, 'utf8'),
    },
  });
  return {
    producer,
    async close() {
      await producer.close();
      await log.close();
    },
  };
}

/** As fast as the log takes them: events a second until the last is proof-ready. */
async function flood(gateway: Gateway, producer: Producer, seconds: number): Promise<Round> {
  const { meter } = gateway;
  const before = await meter.size();
  const began = performance.now();
  const end = began + seconds * 1000;
  let events = 0;
  const flow = async (): Promise<void> => {
    while (performance.now() < end) {
      const drafts = actionDrafts(batch / 2);
      await producer.append(drafts);
      events += drafts.length;
    }
  };
  await Promise.all([flow(), flow()]);
  const appended = (performance.now() - began) / 1000;
  const backlog = events - ((await meter.size()) - before);
  const drainSeconds = await meter.reached(before + events);
  return {
    value: events / (appended + drainSeconds),
    backlog: { events: Math.max(0, backlog), drainSeconds },
  };
}

/** A flow that evidence easily follows: how long each event takes from its append to the checkpoint that covers it. */
async function trickle({ meter }: Gateway, producer: Producer, seconds: number): Promise<Round> {
  const size = 5;
  const before = await meter.size();
  const waiting: { readonly size: number; readonly since: number }[] = [];
  const delays: number[] = [];
  const began = performance.now();
  let appended = 0;
  let last = false;
  const watch = async (): Promise<void> => {
    while (!last || waiting.length > 0) {
      const covered = await meter.size();
      const now = performance.now();
      while (waiting[0] !== undefined && waiting[0].size <= covered)
        delays.push(now - (waiting.shift()?.since ?? now));
      await delay(1);
    }
  };
  const watching = watch();
  while (performance.now() - began < seconds * 1000) {
    const since = performance.now();
    appended += 2 * size;
    waiting.push({ size: before + appended, since });
    await producer.append(actionDrafts(size));
    const due = began + (appended / steady) * 1000;
    await delay(Math.max(0, due - performance.now()));
  }
  const took = (performance.now() - began) / 1000;
  last = true;
  await watching;
  delays.sort((left, right) => left - right);
  return { value: appended / took, latency: { p50: quantile(delays, 0.5), p95: quantile(delays, 0.95) } };
}

/** From the append of an event to the checkpoint by which it can be proved. */
export const events: Workload = {
  name: 'events',
  about: 'events from append to proof-ready',
  async run({ gateways }, { seconds, rounds }) {
    const opened = await Promise.all(
      gateways.map(async (gateway) => ({ gateway, ...(await producerOf(gateway)) })),
    );
    const measurements: Measurement[] = [];
    try {
      for (const [setting, round] of [
        ['as fast as the log takes them', flood],
        [`a steady ${steady} events/s`, trickle],
      ] as const) {
        const ways = opened.map(
          ({ gateway, producer }): Way => ({
            name: gateway.kind.name,
            round: () => round(gateway, producer, seconds),
          }),
        );
        measurements.push(
          ...(await takeTurns(ways, rounds, { workload: 'events', setting, unit: 'events/s' })),
        );
      }
      return { measurements };
    } finally {
      for (const { close } of opened) await close();
    }
  },
};
