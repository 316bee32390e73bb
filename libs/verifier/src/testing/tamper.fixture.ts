import type { KeyObject } from 'node:crypto';
import type { Finding } from '../report/index.js';
import type { StoryLeaf } from './chain.fixture.js';
import { checkpointOf, leafHashesOf, type Parts, recordsOf } from './dossier.fixture.js';
import { relink, rewrite, type Signatures, setFields } from './forge.fixture.js';

/** One row of the tamper table. */
export interface TamperCase {
  readonly name: string;
  readonly attack: Attack;
  /**
   * What the forger can do beyond changing the file. `nothing`: not even recompute what needs no key. `recompute`:
   * chains, leaf hashes, records, counts, but sign nothing. `checkpoint`: also sign checkpoints. `producer`: also sign as
   * the producers. `both`.
   */
  readonly holds: 'nothing' | 'recompute' | 'checkpoint' | 'producer' | 'both';
  /** What becomes of signatures that the forger cannot make again. */
  readonly signatures?: 'keep' | 'strip';
  readonly trust: readonly ('authority' | 'checkpoint')[];
  readonly verdict: string;
  /** Why nothing can be found, where the verdict is authentic all the same. */
  readonly limit?: string;
  readonly finds: readonly string[];
}

/** Events are named as in the story. */
export type Attack =
  | { readonly kind: 'edit'; readonly event: string; readonly set: Readonly<Record<string, unknown>> }
  | { readonly kind: 'drop'; readonly from: string; readonly to: string }
  | { readonly kind: 'swap'; readonly event: string; readonly with: string }
  | { readonly kind: 'repeat'; readonly event: string; readonly behind: string }
  | {
      readonly kind: 'insert';
      readonly like: string;
      readonly behind: string;
      readonly set: Readonly<Record<string, unknown>>;
    }
  | { readonly kind: 'truncate'; readonly behind: string }
  | { readonly kind: 'silence'; readonly producer: string; readonly behind: string };

export function attackLeaves(leaves: readonly StoryLeaf[], attack: Attack): readonly StoryLeaf[] {
  const at = (name: string) => {
    const index = leaves.findIndex((leaf) => leaf.name === name);
    if (index < 0) throw new Error(`The story has no event named ${name}.`);
    return index;
  };
  const leafAt = (name: string) => leaves[at(name)] as StoryLeaf;
  const behind = (name: string, leaf: StoryLeaf) => leaves.toSpliced(at(name) + 1, 0, leaf);
  switch (attack.kind) {
    case 'edit':
      return leaves.with(at(attack.event), forged(leafAt(attack.event), attack.set, attack.event));
    case 'drop':
      return leaves.toSpliced(at(attack.from), at(attack.to) - at(attack.from) + 1);
    case 'swap':
      return leaves.with(at(attack.event), leafAt(attack.with)).with(at(attack.with), leafAt(attack.event));
    case 'repeat':
      return behind(attack.behind, { ...leafAt(attack.event), name: `${attack.event} again` });
    case 'insert':
      return behind(attack.behind, forged(leafAt(attack.like), attack.set, 'forged event'));
    case 'truncate':
      return leaves.slice(0, at(attack.behind) + 1);
    case 'silence':
      return leaves.filter(({ key }, index) => key !== attack.producer || index <= at(attack.behind));
  }
}

function forged(leaf: StoryLeaf, set: Readonly<Record<string, unknown>>, name: string): StoryLeaf {
  return { ...rewrite(leaf, (envelope) => setFields(envelope, set)), name, forged: true };
}

/** Applies an attack with everything that the forger can make fit again. */
export function tamper(parts: Parts, row: TamperCase, epochKeys: ReadonlyMap<string, KeyObject>): Parts {
  const attacked = attackLeaves(parts.leaves, row.attack);
  if (row.holds === 'nothing') return { ...parts, leaves: attacked };
  const signs = row.holds === 'producer' || row.holds === 'both';
  const signatures: Signatures = signs ? 'resign' : (row.signatures ?? 'keep');
  const leaves = relink(attacked, signatures, epochKeys);
  return seal({ ...parts, leaves }, row.holds === 'checkpoint' || row.holds === 'both');
}

/** Recomputes leaf hashes and records; with the checkpoint key also the checkpoints. */
export function seal(parts: Parts, signs: boolean): Parts {
  const { deployment, leaves } = parts;
  const leafHashes = leafHashesOf(leaves);
  const sizes = [1 / 3, 2 / 3, 1].map((part) => Math.floor(part * leaves.length));
  return {
    ...parts,
    leafHashes,
    records: recordsOf(leaves, deployment.authority.certificatePem),
    checkpoints: signs
      ? sizes.map((size) => checkpointOf(deployment.origin, leafHashes, size, deployment.checkpointKey))
      : parts.checkpoints,
  };
}

/** A finding in the words of the table, with the names of the story. */
export function phrase({ code, where }: Finding, leaves: readonly StoryLeaf[]): string {
  const name = (index: number) => leaves[index]?.name ?? `nothing at ${index}`;
  const { batch, missing, index, leaves: range, checkpoint, record } = where;
  if (missing !== undefined)
    return `${code}: ${missing.from} to ${missing.to}${index === undefined ? '' : `, by ${name(index)}`}`;
  if (batch !== undefined) return `${code}: ${name(batch.fromIndex)} … ${name(batch.toIndex)}`;
  if (record !== undefined) return `${code}: ${record}`;
  if (checkpoint !== undefined)
    return `${code}: checkpoint ${checkpoint}${range === undefined ? '' : `, leaf ${range.from} to ${range.to}`}`;
  if (index !== undefined) return `${code}: ${name(index)}`;
  if (range !== undefined) return `${code}: leaf ${range.from} to ${range.to}`;
  return code;
}
