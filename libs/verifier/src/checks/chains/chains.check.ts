import { createPublicKey, type KeyObject } from 'node:crypto';
import { type EventEnvelope, mayPublish, topics } from '@countersign/contracts';
import { verifyEpochOpened } from '@countersign/ledger';
import type { Findings } from '../../report/index.js';
import { type Place, type SeenEvent, whereOf } from '../event.js';
import { Epoch, type Link } from './epoch.js';
import { Producer } from './producer.js';

type OpenedEnvelope = EventEnvelope<'countersign.epoch.opened.v1'>;
const OPENED = 'countersign.epoch.opened.v1';
const FIRST_HASH = '0'.repeat(64);

/** Who wrote the events, and whether all of them are there in their order. */
export class ChainsCheck {
  readonly #authority: string;
  readonly #findings: Findings;
  readonly #producers = new Map<string, Producer>();
  openEvents = 0;

  /** @param authority PEM of the deployment's certificate authority */
  constructor(authority: string, findings: Findings) {
    this.#authority = authority;
    this.#findings = findings;
  }

  add(event: SeenEvent): void {
    const { envelope } = event;
    if (envelope === null) {
      this.#findings.add(
        'event.malformed',
        whereOf(event),
        `Leaf ${event.index}, under the key ${event.key}, is not a well-formed event.`,
      );
      return;
    }
    if (envelope.source !== event.key || topicOf(envelope.source) !== event.topic) {
      this.#findings.add(
        'event.misplaced',
        whereOf(event),
        `Event index ${event.index} stands under the key ${event.key} and topic ${event.topic}, and says that it is of ${envelope.source}.`,
      );
      return;
    }
    if (!mayPublish(envelope.source, envelope.type))
      this.#findings.add(
        'event.misplaced',
        whereOf(event),
        `Event index ${event.index} of ${envelope.source} is a ${envelope.type}, which is another service’s to say.`,
      );
    const place = { index: event.index, id: envelope.id, type: envelope.type, seq: Number(envelope.seq) };
    const producer = this.#producer(event.key);
    const epoch = producer.epoch(envelope.epoch);
    if (epoch === undefined) this.#open(producer, event, envelope, place);
    else if (envelope.type === OPENED)
      this.#findings.add(
        'epoch.repeated',
        whereOf(event),
        `Epoch ${envelope.epoch} of ${event.key} is opened once more at event index ${event.index}.`,
      );
    else epoch.add(event, place, envelope.prevhash, !producer.isLatest(epoch));
  }

  /** Once all events were added. */
  finish(leaves: number): void {
    for (const producer of this.#producers.values()) this.openEvents += producer.finish(leaves).openEvents;
  }

  get totals(): { producers: number; epochs: number; untrusted: number; signatures: number } {
    const epochs = [...this.#producers.values()].flatMap((producer) => producer.epochs);
    return {
      producers: this.#producers.size,
      epochs: epochs.length,
      untrusted: epochs.filter((epoch) => !epoch.trusted).length,
      signatures: epochs.reduce((sum, epoch) => sum + epoch.signatures, 0),
    };
  }

  #producer(key: string): Producer {
    const known = this.#producers.get(key);
    if (known !== undefined) return known;
    const producer = new Producer(key, this.#findings);
    this.#producers.set(key, producer);
    return producer;
  }

  #open(producer: Producer, event: SeenEvent, envelope: EventEnvelope, place: Place): void {
    if (!isOpening(envelope)) {
      this.#findings.add(
        'epoch.unopened',
        { ...whereOf(event), missing: { from: 0, to: place.seq - 1 } },
        `Epoch ${envelope.epoch} of ${event.key} begins with event ${place.seq}: the event that names its key is not there, so no event of it can be shown to be the producer’s.`,
      );
      producer.open(new Epoch(event, place, envelope.epoch, null, this.#findings), undefined);
      return;
    }
    const key = this.#keyOf(envelope);
    if (key === null)
      this.#findings.add(
        'epoch.untrusted',
        whereOf(event),
        `The key of epoch ${envelope.epoch}, opened at event index ${event.index}, is not proved to be that of ${event.key}: no certificate of the authority stands behind it, so no event of the epoch can be shown to be the producer’s.`,
      );
    producer.open(new Epoch(event, place, envelope.epoch, key, this.#findings), linkOf(envelope));
  }

  /** The epoch's public key, if an instance that the authority certified proved it. */
  #keyOf(envelope: OpenedEnvelope): KeyObject | null {
    try {
      if (envelope.seq !== '0' || envelope.prevhash !== FIRST_HASH) return null;
      if (!verifyEpochOpened(envelope, this.#authority)) return null;
      const key = createPublicKey(envelope.data.publicKey);
      return key.asymmetricKeyType === 'ed25519' ? key : null;
    } catch {
      return null;
    }
  }
}

function isOpening(envelope: EventEnvelope): envelope is OpenedEnvelope {
  return envelope.type === OPENED;
}

function linkOf({ data }: OpenedEnvelope): Link | null {
  const { previous } = data;
  return previous === null || previous === undefined
    ? null
    : { epoch: String(previous.epoch), seq: Number(previous.seq), hash: String(previous.hash) };
}

function topicOf(source: string): string | null {
  const service = source.split('/')[1] ?? '';
  return Object.hasOwn(topics, service) ? topics[service as keyof typeof topics] : null;
}
