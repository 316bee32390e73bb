import { limits } from './limits.js';
import { DossierError, type DossierKind, type DossierLine, kinds, parseLine, TornLineError } from './line.js';

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
 * caller: a dossier that was cut, even within its last line, still shows what it holds.
 */
export async function* readDossier(
  lines: AsyncIterable<string> | Iterable<string>,
): AsyncGenerator<NumberedLine> {
  let number = 0;
  let place = -1;
  let torn: TornLineError | undefined;
  for await (const text of lines) {
    if (torn !== undefined) throw torn;
    number += 1;
    try {
      const line = parseLine(text, number);
      place = checkPlace(line.kind, place, number);
      yield { number, line };
    } catch (error) {
      if (!(error instanceof TornLineError)) throw error;
      if (place === kinds.indexOf('end')) throw error;
      torn = error;
    }
  }
  if (place < 0) throw torn ?? new DossierError(1, 'There is nothing in it.');
}

/** The place of the kind in the order; throws where it may not follow the place before. */
function checkPlace(kind: DossierKind, before: number, number: number): number {
  const place = kinds.indexOf(kind);
  if (before < 0 && kind !== 'manifest') throw new DossierError(number, 'The manifest does not come first.');
  if (place < before || (place === before && isSingle(kind)))
    throw new DossierError(number, `A line of kind ${kind} may not come here.`);
  return place;
}

function isSingle(kind: DossierKind): boolean {
  return kind === 'manifest' || kind === 'end';
}
