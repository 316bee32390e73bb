import { below, fieldAt, type PointerNode } from './pointers.js';

/** A value of a JSON text at a labelled place. */
export interface FoundField {
  readonly field: number;
  /** Where the value stands in the text, [from, to). */
  readonly from: number;
  readonly to: number;
}

/** Levels of nesting that are walked; a deeper document is not understood. */
const DEEPEST = 200;

const SPACE = /[ \t\n\r]*/y;
const SCALAR = /[^,\]}\s]+/y;

/**
 * Finds values by pointer in a text that is known to be JSON. The text itself stays: what is not replaced goes to the
 * agent as the target wrote it, numbers included. Of members that stand there twice, each is found.
 * @throws RangeError for a document that is nested too deeply
 */
export function findFields(text: string, tree: PointerNode): readonly FoundField[] {
  const found: FoundField[] = [];
  const end = new Walk(text, found).value(skip(text, 0), [tree], 0);
  if (skip(text, end) !== text.length) throw new RangeError('The text holds more than one document.');
  return found;
}

class Walk {
  readonly #text: string;
  readonly #found: FoundField[];

  constructor(text: string, found: FoundField[]) {
    this.#text = text;
    this.#found = found;
  }

  /** Walks the value that begins at a position; gives where it ends. */
  value(from: number, nodes: readonly PointerNode[], depth: number): number {
    if (depth > DEEPEST) throw new RangeError('The document is nested too deeply.');
    const field = fieldAt(nodes);
    // Nothing below a labelled value is looked at: it is replaced as a whole.
    const to = this.#end(from, field === null ? nodes : [], depth);
    if (field !== null) this.#found.push({ field, from, to });
    return to;
  }

  #end(from: number, nodes: readonly PointerNode[], depth: number): number {
    switch (this.#text[from]) {
      case '{':
        return this.#members(from, nodes, depth);
      case '[':
        return this.#items(from, nodes, depth);
      case '"':
        return stringEnd(this.#text, from);
      default:
        return matched(SCALAR, this.#text, from);
    }
  }

  #members(from: number, nodes: readonly PointerNode[], depth: number): number {
    let at = skip(this.#text, from + 1);
    if (this.#text[at] === '}') return at + 1;
    for (;;) {
      const nameEnd = stringEnd(this.#text, at);
      const name = nodes.length === 0 ? '' : (JSON.parse(this.#text.slice(at, nameEnd)) as string);
      const colon = skip(this.#text, nameEnd);
      const inner = nodes.length === 0 ? nodes : below(nodes, name);
      at = skip(this.#text, this.value(skip(this.#text, colon + 1), inner, depth + 1));
      if (this.#text[at] === '}') return at + 1;
      at = skip(this.#text, at + 1);
    }
  }

  #items(from: number, nodes: readonly PointerNode[], depth: number): number {
    let at = skip(this.#text, from + 1);
    if (this.#text[at] === ']') return at + 1;
    for (let index = 0; ; index += 1) {
      const inner = nodes.length === 0 ? nodes : below(nodes, String(index));
      at = skip(this.#text, this.value(at, inner, depth + 1));
      if (this.#text[at] === ']') return at + 1;
      at = skip(this.#text, at + 1);
    }
  }
}

/** After the quote that ends a string: the first that an even number of backslashes stands before. */
function stringEnd(text: string, from: number): number {
  for (let quote = text.indexOf('"', from + 1); quote > 0; quote = text.indexOf('"', quote + 1)) {
    let escapes = quote;
    while (text[escapes - 1] === '\\') escapes -= 1;
    if ((quote - escapes) % 2 === 0) return quote + 1;
  }
  throw new RangeError('The text is not JSON.');
}

function skip(text: string, from: number): number {
  const code = text.charCodeAt(from);
  return code > 0x20 ? from : matched(SPACE, text, from);
}

function matched(pattern: RegExp, text: string, from: number): number {
  pattern.lastIndex = from;
  if (!pattern.test(text)) throw new RangeError('The text is not JSON.');
  return pattern.lastIndex;
}
