import { createHash, generateKeyPairSync, type KeyObject } from 'node:crypto';
import type { EventEnvelope } from '@countersign/contracts';
import { epochStatement, type InstanceIdentity, signEpoch, signHash } from '@countersign/ledger';
import type { StoryLeaf } from './chain.fixture.js';

/** Makes a leaf say something else; everything it does not name stays byte for byte. */
export function rewrite(leaf: StoryLeaf, change: (envelope: EventEnvelope) => unknown): StoryLeaf {
  const envelope = JSON.parse(new TextDecoder().decode(leaf.value)) as EventEnvelope;
  return { ...leaf, value: new TextEncoder().encode(JSON.stringify(change(envelope))) };
}

/** Sets fields by path, `data.rows`. */
export function setFields(envelope: EventEnvelope, fields: Readonly<Record<string, unknown>>): EventEnvelope {
  const copy = structuredClone(envelope) as unknown as Record<string, unknown>;
  for (const [path, value] of Object.entries(fields)) {
    const names = path.split('.');
    const last = names.pop() ?? '';
    let place = copy;
    for (const name of names) place = place[name] as Record<string, unknown>;
    place[last] = value;
  }
  return copy as unknown as EventEnvelope;
}

export type Signatures = 'keep' | 'strip' | 'resign';

/**
 * Gives every event the sequence number and previous hash of its place, and every epoch the link to the one before: all
 * that can be recomputed without a key. Signatures of changed events are kept (and then wrong), stripped, or made again
 * with the epoch keys that the forger holds.
 */
export function relink(
  leaves: readonly StoryLeaf[],
  signatures: Signatures,
  epochKeys: ReadonlyMap<string, KeyObject>,
): readonly StoryLeaf[] {
  const heads = new Map<string, { epoch: string; seq: string; hash: string }>();
  return leaves.map((leaf) => {
    const before = heads.get(leaf.key) ?? null;
    const linked = rewrite(leaf, (envelope) => relinked(envelope, before));
    const { epoch, seq } = JSON.parse(new TextDecoder().decode(linked.value)) as EventEnvelope;
    const hash = createHash('sha256').update(linked.value).digest('hex');
    heads.set(leaf.key, { epoch, seq, hash });
    const changed = Buffer.compare(linked.value, leaf.value) !== 0 || leaf.forged === true;
    if (!changed || leaf.signature === null || signatures === 'keep') return linked;
    const key = epochKeys.get(epoch);
    return {
      ...linked,
      signature: signatures === 'strip' || key === undefined ? null : new Uint8Array(signHash(hash, key)),
    };
  });
}

function relinked(
  envelope: EventEnvelope,
  before: { epoch: string; seq: string; hash: string } | null,
): EventEnvelope {
  if (envelope.type === 'countersign.epoch.opened.v1')
    return setFields(envelope, { seq: '0', prevhash: '0'.repeat(64), 'data.previous': before });
  return setFields(envelope, {
    seq: String(Number(before?.seq ?? -1) + 1),
    prevhash: before?.hash ?? '0'.repeat(64),
  });
}

/** Replaces the key of every epoch by one of the forger's, vouched for by identities of the forger's. */
export function rekey(
  leaves: readonly StoryLeaf[],
  identityOf: (leaf: StoryLeaf) => InstanceIdentity,
): { readonly leaves: readonly StoryLeaf[]; readonly epochKeys: ReadonlyMap<string, KeyObject> } {
  const epochKeys = new Map<string, KeyObject>();
  const rekeyed = leaves.map((leaf) => ({
    ...rewrite(leaf, (envelope) => {
      if (envelope.type !== 'countersign.epoch.opened.v1') return envelope;
      const { privateKey, publicKey } = generateKeyPairSync('ed25519');
      const pem = publicKey.export({ type: 'spki', format: 'pem' }).toString();
      const identity = identityOf(leaf);
      epochKeys.set(envelope.epoch, privateKey);
      return setFields(envelope, {
        'data.publicKey': pem,
        'data.certificate': identity.certificatePem,
        'data.proof': signEpoch(epochStatement(envelope.source, envelope.epoch, pem), identity.privateKeyPem),
      });
    }),
    forged: true as const,
  }));
  return { leaves: relink(rekeyed, 'resign', epochKeys), epochKeys };
}
