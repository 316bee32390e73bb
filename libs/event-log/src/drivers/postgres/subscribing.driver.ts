import { CountersignError } from '@countersign/errors';
import type { StoredRecord, Subscription } from '../../event-log.js';
import { partitionKey } from '../../event-log.js';
import { checkTopic } from '../../limits.js';
import { type Connection, openConnection, unavailable } from './connection.driver.js';
import { type Place, parsePosition, START } from './position.js';
import { readAfter, refuseForeignOrder } from './reading.driver.js';

export const CHANNEL = 'countersign_event_log';

/** Milliseconds between two looks when nothing happens: the longest delay where every notification is lost. */
const IDLE = 250;
/** Milliseconds until the first look after something happened that could not be read yet. */
const BUSY = 2;
/** Milliseconds between two attempts to connect, at first and at most. */
const RECONNECT = [50, 2_000] as const;
const STATEMENT_TIMEOUT = 15_000;

/** Sleeps until woken; a call in between is not lost. */
class Bell {
  #rung = false;
  #wake: (() => void) | null = null;

  readonly ring = (): void => {
    this.#rung = true;
    this.#wake?.();
  };

  /** Whether it rang, rather than time passed. */
  async wait(milliseconds: number): Promise<boolean> {
    if (!this.#rung) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, milliseconds);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
      this.#wake = null;
    }
    const rung = this.#rung;
    this.#rung = false;
    return rung;
  }
}

/** An error of the consumer, to be told from one of the log. */
class ConsumerError extends Error {
  constructor(cause: unknown) {
    super('The consumer failed.', { cause });
  }
}

async function listen(url: string, name: string, bell: Bell): Promise<Connection> {
  const connection = await openConnection({
    url,
    name,
    statementTimeout: STATEMENT_TIMEOUT,
    // A young table has no statistics yet; the index is right at every size.
    settings: { enable_seqscan: 'off' },
  });
  connection.client.on('notification', bell.ring);
  connection.client.on('end', bell.ring);
  try {
    await connection.client.query(`LISTEN ${CHANNEL}`);
    return connection;
  } catch (error) {
    connection.discard();
    throw unavailable(error);
  }
}

async function follow(
  connection: Connection,
  places: Map<string, Place>,
  subscription: Subscription,
  bell: Bell,
): Promise<void> {
  const { signal, maxBatch = 256 } = subscription;
  await refuseForeignOrder(connection.client, [...places.keys()]);
  let pause = BUSY;
  while (!signal.aborted) {
    const found = await readAfter(connection.client, places, maxBatch);
    if (found.length > 0) {
      await deliver(
        subscription,
        found.map(({ record }) => record),
      );
      for (const { record, place } of found) places.set(record.topic, place);
      pause = BUSY;
      continue;
    }
    if (connection.isDead) throw new Error('The connection ended.');
    const rung = await bell.wait(pause);
    pause = rung ? BUSY : Math.min(IDLE, pause * 2);
  }
}

async function deliver(subscription: Subscription, records: readonly StoredRecord[]): Promise<void> {
  if (subscription.signal.aborted) return;
  try {
    await subscription.onBatch(records);
  } catch (error) {
    throw new ConsumerError(error);
  }
}

/** See `EventLog.subscribe`. Each subscription has a connection of its own. */
export async function subscribe(url: string, name: string, subscription: Subscription): Promise<void> {
  const { signal, topics, from } = subscription;
  const places = new Map<string, Place>();
  for (const topic of topics) {
    checkTopic(topic);
    const position = from.get(partitionKey({ topic, partition: 0 }));
    places.set(topic, position === undefined ? START : parsePosition(position));
  }
  const bell = new Bell();
  signal.addEventListener('abort', bell.ring);
  let pause: number = RECONNECT[0];
  try {
    while (!signal.aborted) {
      let connection: Connection | null = null;
      try {
        connection = await listen(url, name, bell);
        pause = RECONNECT[0];
        await follow(connection, places, subscription, bell);
        await connection.end();
      } catch (error) {
        connection?.discard();
        if (error instanceof ConsumerError) throw error.cause;
        if (error instanceof CountersignError && error.code === 'config.invalid') throw error;
        subscription.onTrouble?.(unavailable(error));
        // The bell also rang for the end of the connection: only an abort cuts this short.
        const end = performance.now() + pause;
        while (!signal.aborted && performance.now() < end) await bell.wait(end - performance.now());
        pause = Math.min(RECONNECT[1], pause * 2);
      }
    }
  } finally {
    signal.removeEventListener('abort', bell.ring);
  }
}
