import { setTimeout as delay } from 'node:timers/promises';
import { CountersignError } from '@countersign/errors';
import type Cluster from 'kafkajs/src/cluster/index.js';
import { type Position, partitionKey, type Subscription } from '../../event-log.js';
import { checkTopic } from '../../limits.js';
import { bounded, Connection, OPEN_WITHIN } from './connection.driver.js';
import { explained } from './errors.js';
import { parsePosition } from './position.js';
import { boundsOf, type Fetched, fetchAfter, leaderOf, type Part } from './reading.driver.js';
import type { Topics } from './topics.driver.js';
import type { KafkaAddress } from './url.js';

/** Milliseconds for which a broker holds back an answer when there is nothing yet. */
const PATIENCE = 500;
/** Milliseconds after which an answer is given up. */
const REQUEST_TIMEOUT = 10_000;
/** Milliseconds between two attempts to connect, at first and at most. */
const RECONNECT = { first: 50, most: 2_000 };

/** An error of the consumer, to be told from one of the log. */
class ConsumerError extends Error {
  constructor(cause: unknown) {
    super('The consumer failed.', { cause });
  }
}

/** Offsets to read on from; absent: from the first there is. */
type Places = Map<string, number>;

/** Where each topic is read on, once it is known what there is. */
async function resolvePlaces(cluster: Cluster, subscription: Subscription, places: Places): Promise<void> {
  for (const [topic, { first, end }] of await boundsOf(cluster, subscription.topics)) {
    const place = places.get(topic);
    if (place !== undefined && place > end) {
      throw new CountersignError('config.invalid', {
        detail: `The Kafka topic ${topic} ends before the stored position: it is not the topic that was read so far.`,
        next: 'Name the cluster that was read so far, or begin with an empty database of evidence.',
      });
    }
    if (place !== undefined && place < first) {
      const detail = `${first - place} records of ${topic} ended their retention before they were read.`;
      subscription.onTrouble?.(new CountersignError('recording.unavailable', { detail }));
    }
    places.set(topic, Math.max(place ?? first, first));
  }
}

/** Hands over one batch at a time, whichever broker it comes from. */
class Delivery {
  readonly #subscription: Subscription;
  readonly #places: Places;
  #last: Promise<void> = Promise.resolve();
  #stopped = false;

  constructor(subscription: Subscription, places: Places) {
    this.#subscription = subscription;
    this.#places = places;
  }

  get isOver(): boolean {
    return this.#stopped || this.#subscription.signal.aborted;
  }

  stop(): void {
    this.#stopped = true;
  }

  async deliver(parts: readonly Part[]): Promise<void> {
    const turn = this.#last.then(() => this.#deliver(parts));
    this.#last = turn.catch(() => undefined);
    await turn;
  }

  async #deliver(parts: readonly Part[]): Promise<void> {
    const { maxBatch = 256, onBatch } = this.#subscription;
    const all: readonly Fetched[] = parts.flatMap(({ records }) => records);
    for (let from = 0; from < all.length; from += maxBatch) {
      if (this.isOver) return;
      const some = all.slice(from, from + maxBatch);
      try {
        await onBatch(some.map(({ record }) => record));
      } catch (error) {
        throw new ConsumerError(error);
      }
      for (const { record, next } of some) this.#places.set(record.topic, next);
    }
    for (const { topic, next } of parts) this.#places.set(topic, next);
  }
}

async function follow(cluster: Cluster, subscription: Subscription, places: Places): Promise<void> {
  await bounded(
    cluster
      .connect()
      .then(() => cluster.addMultipleTargetTopics(subscription.topics))
      .then(() => resolvePlaces(cluster, subscription, places)),
    OPEN_WITHIN,
    'say what it holds',
  );
  const delivery = new Delivery(subscription, places);
  const byLeader = Map.groupBy(subscription.topics, (topic) => leaderOf(cluster, topic));
  const followLeader = async (leader: number, topics: readonly string[]): Promise<void> => {
    try {
      while (!delivery.isOver) {
        const own = new Map(topics.map((topic) => [topic, places.get(topic) ?? 0]));
        const parts = await fetchAfter(cluster, leader, own, PATIENCE);
        if (parts.length > 0) await delivery.deliver(parts);
      }
    } finally {
      delivery.stop();
    }
  };
  const ends = await Promise.allSettled(
    [...byLeader].map(([leader, topics]) => followLeader(leader, topics)),
  );
  const failures = ends.flatMap((end) => (end.status === 'rejected' ? [end.reason as unknown] : []));
  const failure = failures.find((error) => error instanceof ConsumerError) ?? failures[0];
  if (failure !== undefined) throw failure;
}

function placesOf(topics: readonly string[], from: ReadonlyMap<string, Position>): Places {
  const places: Places = new Map();
  for (const topic of topics) {
    checkTopic(topic);
    const position = from.get(partitionKey({ topic, partition: 0 }));
    if (position !== undefined) places.set(topic, parsePosition(position) + 1);
  }
  return places;
}

/**
 * See `EventLog.subscribe`. Partitions are read directly and positions are the consumer's own: there is no consumer
 * group, so nothing is ever rebalanced and a slow consumer is never thought dead. Each subscription has connections of
 * its own.
 */
export async function subscribe(
  address: KafkaAddress,
  name: string,
  known: Topics,
  subscription: Subscription,
): Promise<void> {
  const { signal, topics } = subscription;
  const places = placesOf(topics, subscription.from);
  let pause: number = RECONNECT.first;
  while (!signal.aborted) {
    const connection = new Connection(address, name, REQUEST_TIMEOUT);
    // An answer may be held back for a while: an abort need not wait for it.
    const drop = () => connection.discard();
    signal.addEventListener('abort', drop, { once: true });
    const begin = performance.now();
    try {
      for (const topic of topics) await known.ensure(topic, 'read');
      await follow(connection.reader(), subscription, places);
    } catch (error) {
      if (error instanceof ConsumerError) throw error.cause;
      if (!signal.aborted) {
        const failure = explained(error);
        if (failure.code === 'config.invalid') throw failure;
        subscription.onTrouble?.(failure);
        if (performance.now() - begin > REQUEST_TIMEOUT) pause = RECONNECT.first;
        await delay(pause, undefined, { signal }).catch(() => undefined);
        pause = Math.min(RECONNECT.most, pause * 2);
      }
    } finally {
      signal.removeEventListener('abort', drop);
      connection.discard();
    }
  }
}
