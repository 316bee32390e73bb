/** Pointers (RFC 6901) with `*` for every item or member, as a tree that is walked along with a document. */
export interface PointerNode {
  readonly named: Map<string, PointerNode>;
  every: PointerNode | null;
  /** Position of the field that ends here; null where none does. */
  field: number | null;
}

const node = (): PointerNode => ({ named: new Map(), every: null, field: null });

export function pointerTree(pointers: readonly string[]): PointerNode {
  const root = node();
  for (const [field, pointer] of pointers.entries()) {
    let at = root;
    for (const token of tokensOf(pointer)) {
      if (token === '*') {
        at.every ??= node();
        at = at.every;
      } else {
        const next = at.named.get(token) ?? node();
        at.named.set(token, next);
        at = next;
      }
    }
    at.field ??= field;
  }
  return root;
}

export function tokensOf(pointer: string): readonly string[] {
  if (pointer === '') return [];
  return pointer
    .slice(1)
    .split('/')
    .map((token) => token.replaceAll('~1', '/').replaceAll('~0', '~'));
}

/** Where a member or item leads from all places that lead to its parent. */
export function below(nodes: readonly PointerNode[], token: string): readonly PointerNode[] {
  const found: PointerNode[] = [];
  for (const { named, every } of nodes) {
    const next = named.get(token);
    if (next !== undefined) found.push(next);
    if (every !== null) found.push(every);
  }
  return found;
}

export function fieldAt(nodes: readonly PointerNode[]): number | null {
  for (const { field } of nodes) if (field !== null) return field;
  return null;
}

/** How many items the arrays have to which a pointer leads; null where it leads to none. */
export function countAt(document: unknown, pointer: string): number | null {
  let places: readonly unknown[] = [document];
  for (const token of tokensOf(pointer)) {
    places = places.flatMap((place): readonly unknown[] => {
      if (typeof place !== 'object' || place === null) return [];
      if (token === '*') return Object.values(place);
      return Object.hasOwn(place, token) ? [(place as Record<string, unknown>)[token]] : [];
    });
  }
  const arrays = places.filter(Array.isArray);
  return arrays.length === 0 ? null : arrays.reduce((sum, array) => sum + array.length, 0);
}
