import { limits } from './limits.js';
import { DossierError, type DossierKind, type DossierLine, kinds, parseLine } from './line.js';

/**
 * Cuts chunks of UTF-8 into lines, holding no more than one line. Rejects with a DossierError where bytes are not
 * UTF-8 or a line is too long. A last line without newline is a line too: whoever reads lines finds that it is cut.
 */
export async function* splitLines(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  let rest = '';
  let number = 1;
  const decode = (chunk?: Uint8Array) => {
    try {
      return chunk === undefined ? decoder.decode() : decoder.decode(chunk, { stream: true });
    } catch {
      throw new DossierError(number, 'The bytes are not valid UTF-8.');
    }
  };
  for await (const chunk of chunks) {
    const lines = (rest + decode(chunk)).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      yield line;
      number += 1;
    }
    if (rest.length > limits.line) throw new DossierError(number, 'The line is longer than a line may be.');
  }
  rest += decode();
  if (rest !== '') yield rest;
}

/** A line with its number, from 1. */
export interface NumberedLine {
  readonly number: number;
  readonly line: DossierLine;
}

/**
 * Reads the lines of a dossier: each is well formed and in its place, the manifest comes first and once, nothing
 * follows the end. Rejects with a DossierError otherwise. That the end is reached, and counts right, is for the
 * caller: a dossier that was cut still shows what it holds.
 */
export async function* readDossier(
  lines: AsyncIterable<string> | Iterable<string>,
): AsyncGenerator<NumberedLine> {
  let number = 0;
  let place = -1;
  for await (const text of lines) {
    number += 1;
    const line = parseLine(text, number);
    const next = kinds.indexOf(line.kind);
    if (place < 0 && line.kind !== 'manifest')
      throw new DossierError(number, 'The manifest does not come first.');
    if (next < place || (next === place && isSingle(line.kind)))
      throw new DossierError(number, `A line of kind ${line.kind} may not come here.`);
    place = next;
    yield { number, line };
  }
  if (place < 0) throw new DossierError(1, 'There is nothing in it.');
}

function isSingle(kind: DossierKind): boolean {
  return kind === 'manifest' || kind === 'end';
}
