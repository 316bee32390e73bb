import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { type ServiceName, topics } from '@countersign/contracts';
import {
  beginChain,
  type ChainState,
  type EventDraft,
  epochStatement,
  type InstanceIdentity,
  type SealedEvent,
  sealEvent,
  signEpoch,
  signHash,
} from '@countersign/ledger';

/** A leaf with the name under which a story knows it. */
export interface StoryLeaf {
  readonly name: string;
  readonly topic: string;
  readonly key: string;
  readonly value: Uint8Array;
  readonly signature: Uint8Array | null;
  /** Whether a forger wrote it anew. */
  readonly forged?: true;
}

export type NamedDraft = EventDraft & { readonly name: string };

/** Ids, keys and time for a story, without chance but for keys. */
export class Clock {
  #ids = 0;
  #milliseconds = Date.parse('2026-01-05T08:00:00.000Z');

  id(): string {
    this.#ids += 1;
    return `01900000-0000-7000-8000-${this.#ids.toString(16).padStart(12, '0')}`;
  }

  time(): string {
    this.#milliseconds += 7;
    return new Date(this.#milliseconds).toISOString();
  }

  seconds(): number {
    return Math.floor(this.#milliseconds / 1000);
  }
}

/** One producer of a story: real sealed events in real batches. */
export class StoryProducer {
  readonly source: string;
  readonly #topic: string;
  readonly #identity: InstanceIdentity;
  readonly #clock: Clock;
  readonly #keys: Map<string, KeyObject>;
  #chain: ChainState | null = null;
  #key: KeyObject | null = null;

  /** @param keys private key of each epoch, for whoever is to play a thief */
  constructor(service: ServiceName, identity: InstanceIdentity, clock: Clock, keys: Map<string, KeyObject>) {
    this.source = `/${service}/one`;
    this.#topic = topics[service];
    this.#identity = identity;
    this.#clock = clock;
    this.#keys = keys;
  }

  openEpoch(name: string): readonly StoryLeaf[] {
    const { privateKey, publicKey } = generateKeyPairSync('ed25519');
    const before = this.#chain;
    const epoch = this.#clock.id();
    const pem = publicKey.export({ type: 'spki', format: 'pem' }).toString();
    this.#chain = beginChain(this.source, epoch);
    this.#key = privateKey;
    this.#keys.set(epoch, privateKey);
    return this.append([
      {
        name,
        type: 'countersign.epoch.opened.v1',
        origin: 'system',
        data: {
          publicKey: pem,
          certificate: this.#identity.certificatePem,
          proof: signEpoch(epochStatement(this.source, epoch, pem), this.#identity.privateKeyPem),
          previous:
            before === null ? null : { epoch: before.epoch, seq: String(before.next - 1), hash: before.head },
        },
      },
    ]);
  }

  /** One batch: its last event is signed. */
  append(drafts: readonly NamedDraft[]): readonly StoryLeaf[] {
    return drafts.map(({ name, ...draft }, position) => {
      const { event, key } = this.#seal(draft as EventDraft);
      const last = position === drafts.length - 1;
      return {
        name,
        topic: this.#topic,
        key: this.source,
        value: event.value,
        signature: last ? signHash(event.hash, key) : null,
      };
    });
  }

  #seal(draft: EventDraft): { readonly event: SealedEvent; readonly key: KeyObject } {
    if (this.#chain === null || this.#key === null) throw new Error('The epoch is not open.');
    const sealed = sealEvent(this.#chain, draft, { id: this.#clock.id(), time: this.#clock.time() });
    this.#chain = sealed.chain;
    return { event: sealed.event, key: this.#key };
  }
}
