import { isFields, type Node } from '../tree/index.js';

/** Changes to a tree, by the object that they change: what is not named stays as it is. */
export interface Changes {
  /** A node to put in place of the one whose body this is. */
  readonly replaced: ReadonlyMap<object, Node>;
  /** Members to set. */
  readonly patched: ReadonlyMap<object, Readonly<Record<string, unknown>>>;
}

function rebuildValue(value: unknown, changes: Changes): unknown {
  if (Array.isArray(value)) return value.map((item) => rebuildValue(item, changes));
  if (!isFields(value)) return value;
  const [only, ...more] = Object.values(value);
  if (more.length === 0 && typeof only === 'object' && only !== null) {
    const replacement = changes.replaced.get(only);
    if (replacement !== undefined) return replacement;
  }
  const patch = changes.patched.get(value);
  const entries = Object.entries(patch === undefined ? value : { ...value, ...patch });
  return Object.fromEntries(entries.map(([name, member]) => [name, rebuildValue(member, changes)]));
}

/** A copy of a tree with changes; the tree itself stays as it is. */
export function rebuild(tree: Node, changes: Changes): Node {
  return rebuildValue(tree, changes) as Node;
}
