import type Cluster from 'kafkajs/src/cluster/index.js';
import type { StoredRecord } from '../../event-log.js';
import { bounded, Connection, OPEN_WITHIN } from './connection.driver.js';
import { explained } from './errors.js';
import { boundsOf, fetchAfter, leaderOf } from './reading.driver.js';
import type { KafkaAddress } from './url.js';

/** Records that are looked through at first, how many times more with each further step, and at most. */
const STEP = { first: 32, growth: 8, most: 131_072 };
/** Milliseconds for which a broker may hold back an answer; there is something to answer each time. */
const PATIENCE = 100;
/** Milliseconds after which an answer is given up. */
const REQUEST_TIMEOUT = 5_000;

/**
 * The last record of a key. Kafka keeps no index of keys, so the topic is read from its end backwards, in steps that
 * grow: a producer that was alive lately is found at once; for a key that was never used the topic is read once as a
 * whole. Never further than where the topic ended when this began.
 */
async function findHead(cluster: Cluster, topic: string, key: string): Promise<StoredRecord | null> {
  await cluster.addMultipleTargetTopics([topic]);
  const bounds = (await boundsOf(cluster, [topic])).get(topic);
  if (bounds === undefined) return null;
  let step = STEP.first;
  let end = bounds.end;
  while (end > bounds.first) {
    const begin = Math.max(bounds.first, end - step);
    const found = await lastBetween(cluster, topic, key, begin, end);
    if (found !== null) return found;
    end = begin;
    step = Math.min(STEP.most, step * STEP.growth);
  }
  return null;
}

async function lastBetween(
  cluster: Cluster,
  topic: string,
  key: string,
  begin: number,
  end: number,
): Promise<StoredRecord | null> {
  let found: StoredRecord | null = null;
  for (let offset = begin; offset < end; ) {
    const [part] = await fetchAfter(cluster, leaderOf(cluster, topic), new Map([[topic, offset]]), PATIENCE);
    if (part === undefined) throw new Error('Kafka gave fewer records than it says there are.');
    for (const { record, next } of part.records) if (next <= end && record.key === key) found = record;
    offset = part.next;
  }
  return found;
}

/** Reads heads through a connection that it keeps, one after the other. */
export class HeadReader {
  readonly #address: KafkaAddress;
  readonly #name: string;
  #open: { readonly connection: Connection; readonly cluster: Cluster } | null = null;
  #last: Promise<unknown> = Promise.resolve();

  constructor(address: KafkaAddress, name: string) {
    this.#address = address;
    this.#name = name;
  }

  /** Errors: `recording.unavailable`, `config.invalid`. Every answer that it waits for has a time limit. */
  async find(topic: string, key: string): Promise<StoredRecord | null> {
    const turn = this.#last.then(() => this.#find(topic, key));
    this.#last = turn.catch(() => undefined);
    return turn;
  }

  async close(): Promise<void> {
    await this.#last;
    this.#drop();
  }

  async #find(topic: string, key: string): Promise<StoredRecord | null> {
    try {
      return await findHead(await this.#connect(), topic, key);
    } catch (error) {
      this.#drop();
      throw explained(error);
    }
  }

  async #connect(): Promise<Cluster> {
    if (this.#open !== null) return this.#open.cluster;
    const connection = new Connection(this.#address, this.#name, REQUEST_TIMEOUT);
    const cluster = connection.reader();
    this.#open = { connection, cluster };
    await bounded(cluster.connect(), OPEN_WITHIN, 'connect');
    return cluster;
  }

  #drop(): void {
    this.#open?.connection.discard();
    this.#open = null;
  }
}
