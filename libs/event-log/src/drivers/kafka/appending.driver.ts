import { setTimeout as delay } from 'node:timers/promises';
import { CountersignError } from '@countersign/errors';
import type { Message, Producer } from 'kafkajs';
import type { EventRecord } from '../../event-log.js';
import { checkAppend } from '../../limits.js';
import { bounded, Connection, OPEN_WITHIN } from './connection.driver.js';
import { explained, unavailable } from './errors.js';
import type { Topics } from './topics.driver.js';
import type { KafkaAddress } from './url.js';

/** Milliseconds for one send unless told: longer than replicas take, shorter than for ever. */
const APPEND_TIMEOUT = 10_000;
/** Bytes of values that are sent together, where they are of several appends. */
const SEND_BYTES = 4 * 1024 * 1024;
/** Bytes that may wait; beyond, appends are refused at once. */
const WAITING_BYTES = 64 * 1024 * 1024;
/** Milliseconds between a failure and the next attempt, at first and at most. */
const PAUSE = { first: 20, most: 1_000 };
/** Milliseconds for saying goodbye. */
const CLOSE_WITHIN = 1_000;

/** Name of the header that carries the signature. */
export const SIGNATURE = 'signature';

interface Waiting {
  readonly topic: string;
  readonly records: readonly EventRecord[];
  readonly bytes: number;
  resolve(): void;
  reject(error: CountersignError): void;
}

const toMessage = ({ key, value, signature }: EventRecord): Message => ({
  key,
  value: Buffer.from(value.buffer, value.byteOffset, value.byteLength),
  ...(signature === null ? {} : { headers: { [SIGNATURE]: Buffer.from(signature) } }),
});

/**
 * Appends through one producer under three rules, without which the client loses what it acknowledged
 * (docs/decisions/0006): one send in flight, and what arrives meanwhile goes together into the next; after any rejection
 * the producer is dropped with its sockets; and a rejection means unknown, so nothing is concluded from it. An append is
 * one batch of one topic, which Kafka writes as a whole or not at all.
 */
export class Appender {
  readonly #address: KafkaAddress;
  readonly #name: string;
  readonly #topics: Topics;
  readonly #timeout: number;
  #queue: Waiting[] = [];
  #queuedBytes = 0;
  #open: { readonly connection: Connection; readonly producer: Producer } | null = null;
  #draining: Promise<void> | null = null;
  #pause = 0;
  #closed = false;

  constructor(address: KafkaAddress, name: string, topics: Topics, timeout = APPEND_TIMEOUT) {
    this.#address = address;
    this.#name = name;
    this.#topics = topics;
    this.#timeout = timeout;
  }

  async append(topic: string, records: readonly EventRecord[]): Promise<void> {
    const bytes = checkAppend(topic, records);
    if (this.#closed) throw new CountersignError('recording.unavailable', { detail: 'The log is closed.' });
    if (records.length === 0) return;
    if (this.#queuedBytes + bytes > WAITING_BYTES) {
      throw new CountersignError('recording.unavailable', { detail: 'Too much waits to be recorded.' });
    }
    await new Promise<void>((resolve, reject) => {
      this.#queue.push({ topic, records, bytes, resolve, reject });
      this.#queuedBytes += bytes;
      this.#draining ??= this.#drain();
    });
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#draining;
    const open = this.#open;
    if (open !== null)
      await bounded(open.producer.disconnect(), CLOSE_WITHIN, 'close').catch(() => undefined);
    this.#drop();
  }

  async #drain(): Promise<void> {
    while (this.#queue.length > 0) {
      let producer: Producer;
      try {
        producer = await this.#connect();
      } catch (error) {
        this.#failed();
        // All that waits, so that nobody waits through more than one attempt.
        this.#settle(this.#queue.splice(0), unavailable(error));
        continue;
      }
      const batch = this.#nextBatch();
      const topic = batch[0]?.topic ?? '';
      try {
        await this.#topics.ensure(topic, 'append');
      } catch (error) {
        this.#settle(batch, explained(error));
        continue;
      }
      try {
        const messages = batch.flatMap(({ records }) => records.map(toMessage));
        const sent = producer.send({ topic, messages, acks: -1, timeout: this.#timeout });
        await bounded(sent, this.#timeout, 'append');
      } catch (error) {
        this.#failed();
        this.#settle(batch, unavailable(error));
        continue;
      }
      this.#pause = 0;
      this.#settle(batch, null);
    }
    this.#draining = null;
  }

  async #connect(): Promise<Producer> {
    if (this.#open !== null) return this.#open.producer;
    if (this.#pause > 0) await delay(this.#pause);
    const connection = new Connection(this.#address, this.#name, this.#timeout);
    try {
      const producer = connection.producer();
      await bounded(producer.connect(), OPEN_WITHIN, 'connect');
      this.#open = { connection, producer };
      return producer;
    } catch (error) {
      connection.discard();
      throw error;
    }
  }

  #failed(): void {
    this.#drop();
    this.#pause = Math.min(PAUSE.most, Math.max(PAUSE.first, this.#pause * 2));
  }

  #drop(): void {
    this.#open?.connection.discard();
    this.#open = null;
  }

  /** Of the topic whose turn it is, all that waits, up to a limit. */
  #nextBatch(): Waiting[] {
    const topic = this.#queue[0]?.topic;
    const batch: Waiting[] = [];
    const rest: Waiting[] = [];
    let bytes = 0;
    let full = false;
    for (const waiting of this.#queue) {
      full ||= batch.length > 0 && bytes + waiting.bytes > SEND_BYTES;
      if (waiting.topic !== topic || full) {
        rest.push(waiting);
        continue;
      }
      bytes += waiting.bytes;
      batch.push(waiting);
    }
    this.#queue = rest;
    return batch;
  }

  #settle(batch: readonly Waiting[], error: CountersignError | null): void {
    for (const waiting of batch) {
      this.#queuedBytes -= waiting.bytes;
      if (error === null) waiting.resolve();
      else waiting.reject(error);
    }
  }
}
