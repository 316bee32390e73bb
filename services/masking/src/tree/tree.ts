import type { Node } from '@pgsql/types';

export type { Node } from '@pgsql/types';

/** A node's tag and body: every node of the grammar is an object of one member. */
export function tagOf(node: Node): string {
  return Object.keys(node)[0] ?? '';
}

/** An object of the tree, looked at without knowledge of its type. */
export type Fields = Readonly<Record<string, unknown>>;

export function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function bodyOf(node: Node): Fields {
  const body: unknown = Object.values(node)[0];
  return isFields(body) ? body : {};
}

/** Strings of a list of `String` nodes; null where one is not a string (a star, say). */
export function stringsOf(nodes: readonly Node[] | undefined): (string | null)[] {
  return (nodes ?? []).map((node) => ('String' in node ? (node.String.sval ?? '') : null));
}

/** Names of a list that holds nothing but strings, or null. */
export function namesOf(nodes: readonly Node[] | undefined): string[] | null {
  const strings = stringsOf(nodes);
  return strings.every((string) => string !== null) ? strings : null;
}

export function itemsOf(node: Node | undefined): Node[] {
  return node !== undefined && 'List' in node ? (node.List.items ?? []) : [];
}

/** Whether an object is a tagged node: one member whose name starts with a capital letter. */
export function isNode(value: unknown): value is Node {
  if (!isFields(value)) return false;
  const keys = Object.keys(value);
  return keys.length === 1 && /^[A-Z]/.test(keys[0] ?? '') && isFields(Object.values(value)[0]);
}

/** Tagged nodes directly below a value, however many untagged objects and lists lie between. */
export function childrenOf(value: unknown): Node[] {
  const found: Node[] = [];
  const queue: unknown[] = isNode(value) ? [bodyOf(value)] : [value];
  for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
    const members: unknown[] = Array.isArray(next) ? next : isFields(next) ? Object.values(next) : [];
    for (const member of members) {
      if (isNode(member)) found.push(member);
      else if (typeof member === 'object' && member !== null) queue.push(member);
    }
  }
  return found.reverse();
}

/** Every object of a tree with the name under which it stands (its tag, where it is tagged). */
export function* objectsOf(root: unknown): Generator<{ readonly name: string; readonly fields: Fields }> {
  const queue: { name: string; value: unknown }[] = [{ name: '', value: root }];
  for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
    const { name, value } = next;
    if (Array.isArray(value)) for (const item of value as unknown[]) queue.push({ name, value: item });
    else if (isFields(value)) {
      yield { name, fields: value };
      for (const [key, member] of Object.entries(value))
        if (typeof member === 'object' && member !== null) queue.push({ name: key, value: member });
    }
  }
}

export interface Size {
  readonly levels: number;
  readonly objects: number;
}

/** Levels and number of the objects and lists in a tree, without recursion; stops counting beyond a limit. */
export function sizeOf(root: unknown, limit: Size): Size {
  let level: unknown[] = [root];
  let levels = 0;
  let objects = 0;
  while (level.length > 0 && levels <= limit.levels && objects <= limit.objects) {
    const next: unknown[] = [];
    for (const value of level) {
      const members: unknown[] = Array.isArray(value) ? value : isFields(value) ? Object.values(value) : [];
      for (const member of members) if (typeof member === 'object' && member !== null) next.push(member);
    }
    levels += 1;
    objects += level.length;
    level = next;
  }
  return { levels, objects };
}

const PLACES = new Set([
  'location',
  'stmt_location',
  'stmt_len',
  'list_start',
  'list_end',
  'rexpr_list_start',
  'rexpr_list_end',
]);

function sameFields(left: Fields, right: Fields): boolean {
  for (const key of Object.keys(left)) if (!PLACES.has(key) && !sameTree(left[key], right[key])) return false;
  for (const key of Object.keys(right))
    if (!PLACES.has(key) && left[key] === undefined && right[key] !== undefined) return false;
  return true;
}

/** Whether two trees are the same statement, wherever its parts stand in the text. */
export function sameTree(left: unknown, right: unknown): boolean {
  if (Array.isArray(left))
    return (
      Array.isArray(right) &&
      left.length === right.length &&
      left.every((item, index) => sameTree(item, right[index]))
    );
  if (isFields(left)) return isFields(right) && sameFields(left, right);
  return left === right;
}
