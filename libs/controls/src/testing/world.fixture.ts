import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { type EventEnvelope, type Mode, type Origin, type ServiceName, topics } from '@countersign/contracts';
import {
  beginChain,
  type ChainState,
  createDeploymentAuthority,
  type EventDraft,
  epochStatement,
  type InstanceIdentity,
  issueInstanceCertificate,
  type SealedEvent,
  sealEvent,
  signEpoch,
  signHash,
} from '@countersign/ledger';
import type { Leaf } from '../fold/index.js';
import { readCases } from './cases.store.js';

/** An event in short: what is left out is as in cases/typical-events.json. */
export interface ShortEvent {
  readonly service: string;
  readonly type: string;
  readonly origin?: string;
  readonly mode?: string;
  readonly data: { readonly [name: string]: unknown };
}

const typical = readCases<Record<string, Record<string, unknown>>>('typical-events.json');

/** Services with certificates of one deployment, whose producers make real chains. */
export class World {
  readonly authority: string;
  readonly #identities: ReadonlyMap<string, InstanceIdentity>;

  private constructor(authority: string, identities: ReadonlyMap<string, InstanceIdentity>) {
    this.authority = authority;
    this.#identities = identities;
  }

  static async begin(): Promise<World> {
    const now = new Date('2026-01-01T00:00:00.000Z');
    const authority = await createDeploymentAuthority('Countersign test', now);
    const identities = new Map<string, InstanceIdentity>();
    for (const service of Object.keys(topics)) {
      identities.set(service, await issueInstanceCertificate(authority, { service, instance: 'one', now }));
    }
    return new World(authority.certificatePem, identities);
  }

  producer(service: string): TestProducer {
    const identity = this.#identities.get(service);
    if (identity === undefined) throw new Error('There is no such service.');
    return new TestProducer(service as ServiceName, identity);
  }

  /** Leaves of events in their order, each signed; a service opens an epoch first, and again at a restart. */
  leavesOf(events: readonly (ShortEvent | 'restart')[]): Leaf[] {
    const producers = new Map<string, TestProducer>();
    const records: Omit<Leaf, 'index'>[] = [];
    let last = '';
    for (const event of events) {
      if (event === 'restart') {
        records.push(producers.get(last)?.open() ?? missing());
        continue;
      }
      last = event.service;
      let producer = producers.get(last);
      if (producer === undefined) {
        producer = this.producer(last);
        producers.set(last, producer);
        if (!isOpening(event)) records.push(producer.open());
      }
      records.push(isOpening(event) ? producer.open() : producer.say(event));
    }
    return numbered(records);
  }
}

/** Records as the leaves of a log that begins with them. */
export function numbered(records: readonly Omit<Leaf, 'index'>[]): Leaf[] {
  return records.map((record, index) => ({ ...record, index }));
}

function isOpening({ type }: ShortEvent): boolean {
  return type === 'countersign.epoch.opened.v1';
}

function missing(): never {
  throw new Error('Nobody has begun.');
}

let made = 0;

/** Ids in order, so that the same events always come in the same order. */
export function nextId(): string {
  made += 1;
  return `01900000-0000-7000-8000-${made.toString(16).padStart(12, '0')}`;
}

/** A producer whose every next record may be looked at, and tampered with, before it becomes a leaf. */
export class TestProducer {
  readonly source: string;
  readonly topic: string;
  readonly #identity: InstanceIdentity;
  #chain: ChainState;
  #privateKey: KeyObject;

  constructor(service: ServiceName, identity: InstanceIdentity) {
    this.source = `/${service}/one`;
    this.topic = topics[service];
    this.#identity = identity;
    this.#chain = beginChain(this.source, nextId());
    this.#privateKey = generateKeyPairSync('ed25519').privateKey;
  }

  /** Opens an epoch, the next one if one is open. */
  open(identity: InstanceIdentity = this.#identity): Omit<Leaf, 'index'> {
    const { epoch, next, head } = this.#chain;
    const previous = next === 0 ? null : { epoch, seq: String(next - 1), hash: head };
    const keys = generateKeyPairSync('ed25519');
    this.#privateKey = keys.privateKey;
    this.#chain = beginChain(this.source, nextId());
    const publicKey = keys.publicKey.export({ type: 'spki', format: 'pem' }).toString();
    const statement = epochStatement(this.source, this.#chain.epoch, publicKey);
    return this.seal({
      type: 'countersign.epoch.opened.v1',
      origin: 'system',
      data: {
        publicKey,
        certificate: identity.certificatePem,
        proof: signEpoch(statement, identity.privateKeyPem),
        previous,
      },
    });
  }

  say({ type, origin, mode, data }: ShortEvent): Omit<Leaf, 'index'> {
    return this.seal({
      type,
      data: { ...typical[type], ...data },
      ...(origin === undefined ? {} : { origin: origin as Origin }),
      ...(mode === undefined ? {} : { mode: mode as Mode }),
    } as EventDraft);
  }

  seal(draft: EventDraft): Omit<Leaf, 'index'> {
    const time = new Date(Date.UTC(2026, 5, 1) + made).toISOString();
    const { event, chain } = sealEvent(this.#chain, draft, { id: nextId(), time });
    this.#chain = chain;
    return this.record(event);
  }

  record({ value, hash }: Pick<SealedEvent, 'value' | 'hash'>): Omit<Leaf, 'index'> {
    return { topic: this.topic, key: this.source, value, signature: signHash(hash, this.#privateKey) };
  }
}

/** A record with its envelope changed; its signature is left as it was. */
export function edited(
  record: Omit<Leaf, 'index'>,
  change: (envelope: EventEnvelope) => object,
): Omit<Leaf, 'index'> {
  const envelope = JSON.parse(Buffer.from(record.value).toString()) as EventEnvelope;
  return { ...record, value: Buffer.from(JSON.stringify({ ...envelope, ...change(envelope) })) };
}
