import { createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { topics } from '@countersign/contracts';
import { CountersignError } from '@countersign/errors';
import type { StoredRecord } from '@countersign/event-log';
import { v7 as uuidv7 } from 'uuid';
import { epochStatement, signEpoch } from '../authority/index.js';
import {
  beginChain,
  type ChainState,
  eventHash,
  type SealedEvent,
  sealEvent,
  signHash,
} from '../chain/index.js';
import { isSource, parseEnvelope } from '../envelope/index.js';
import { LogProducer } from './log-producer.driver.js';
import { defaultDeadlineMilliseconds, type Producer, type ProducerOptions } from './producer.js';
import { mostEventsInBatch } from './queue.js';
import { appendUntilDurable } from './sending.driver.js';

interface PreviousHead {
  readonly epoch: string;
  readonly seq: string;
  readonly hash: string;
}

/**
 * The head of the former epoch. Null also where the last record is no event: an instance must be able to start although
 * somebody wrote rubbish under its key, and evidence finds both the rubbish and the missing link.
 */
function previousOf(head: StoredRecord | null): PreviousHead | null {
  if (head === null) return null;
  try {
    const { epoch, seq } = parseEnvelope(head.value);
    return { epoch, seq, hash: eventHash(head.value) };
  } catch {
    return null;
  }
}

/** Seals event 0: it names the epoch's key and the head of the epoch before. */
function openingOf(
  options: ProducerOptions,
  source: string,
  key: KeyObject,
  previous: PreviousHead | null,
): { readonly chain: ChainState; readonly event: SealedEvent } {
  const epoch = uuidv7();
  const publicKey = createPublicKey(key).export({ type: 'spki', format: 'pem' }) as string;
  const proof = signEpoch(epochStatement(source, epoch, publicKey), options.identity.privateKeyPem);
  return sealEvent(
    beginChain(source, epoch),
    {
      type: 'countersign.epoch.opened.v1',
      data: { publicKey, certificate: options.identity.certificatePem, proof, previous },
      origin: 'system',
    },
    { id: uuidv7(), time: new Date().toISOString() },
  );
}

/**
 * Opens a new epoch of an instance's chain: sends what a former life left in its journal, reads the head of the former
 * epoch, and records event 0. Throws recording.unavailable when the log does not answer within the deadline,
 * config.invalid for a name that no event may carry.
 */
export async function openProducer(options: ProducerOptions): Promise<Producer> {
  const source = `/${options.service}/${options.instance}`;
  if (!isSource(source)) {
    throw new CountersignError('config.invalid', {
      detail: 'The name of an instance has lower-case letters, digits and hyphens, at most 63.',
    });
  }
  const topic = topics[options.service];
  const limit = AbortSignal.timeout(options.deadlineMilliseconds ?? defaultDeadlineMilliseconds);
  const append: (records: Parameters<typeof appendUntilDurable>[2]) => Promise<void> = async (records) => {
    const durable = await appendUntilDurable(options.log, topic, records, () => undefined, limit);
    if (!durable) throw new CountersignError('recording.unavailable');
  };
  try {
    const left = (await options.journal?.unacknowledged()) ?? [];
    for (let from = 0; from < left.length; from += mostEventsInBatch) {
      await append(left.slice(from, from + mostEventsInBatch));
    }
    const previous = previousOf(await options.log.head(topic, source));
    const { privateKey } = generateKeyPairSync('ed25519');
    const { chain, event } = openingOf(options, source, privateKey, previous);
    const record = { key: source, value: event.value, signature: signHash(event.hash, privateKey) };
    await options.journal?.sealed([event], [record]);
    await append([record]);
    await options.journal?.acknowledged([event]);
    return new LogProducer(options, chain, privateKey);
  } catch (error) {
    if (error instanceof CountersignError) throw error;
    throw new CountersignError('recording.unavailable', { cause: error });
  }
}
