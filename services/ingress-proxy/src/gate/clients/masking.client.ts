import { canonicalJson, digestOf, type Facts, type maskingRpc } from '@countersign/contracts';
import { CountersignError, isErrorCode } from '@countersign/errors';
import { LRUCache } from 'lru-cache';
import type { Analysable } from '../action.js';
import type { Inspected, MaskingPort, RewriteResult } from '../ports.js';
import { answerOf } from './errors.js';

/** The methods of libs/rpc's client that are used here. */
export interface MaskingRpc {
  inspect(request: maskingRpc.InspectRequest): Promise<maskingRpc.InspectResponse>;
  rewrite(request: maskingRpc.RewriteRequest): Promise<maskingRpc.RewriteResponse>;
  release(request: maskingRpc.ReleaseRequest): Promise<maskingRpc.ReleaseResponse>;
}

const FAMILIES = ['masking.', 'statement.'];
/** Facts larger than this are not recorded, so the statement is refused as too complex. */
const FACTS_LIMIT = 48 * 1024;
const CELLS_LIMIT = 10_000;
/** Bytes of cells in one call: well under what a message may hold. */
const CELL_BYTES_LIMIT = 1024 * 1024;

interface Remembered<Part> {
  readonly part: Part;
  readonly contextDigest: string;
}

/**
 * Facts and rewrites of masking, remembered by exact text, parameter types and target while the stream of context
 * changes is unbroken and still names the context that they rest on.
 */
export class MaskingClient implements MaskingPort {
  readonly #rpc: MaskingRpc;
  readonly #loadCatalogue: (target: string) => Promise<void>;
  readonly #facts: LRUCache<string, Remembered<Inspected>>;
  readonly #rewrites: LRUCache<string, Remembered<RewriteResult>>;
  readonly #contexts = new Map<string, string>();

  /**
   * @param loadCatalogue reads a target's catalogue and hands it to masking, once for all who ask at the same time
   */
  constructor(rpc: MaskingRpc, cacheBytes: number, loadCatalogue: (target: string) => Promise<void>) {
    this.#rpc = rpc;
    this.#loadCatalogue = loadCatalogue;
    this.#facts = new LRUCache({
      maxSize: cacheBytes,
      sizeCalculation: ({ part }, key) => 2 * (key.length + 2 * part.factsText.length) + 400,
    });
    this.#rewrites = new LRUCache({
      maxSize: cacheBytes,
      sizeCalculation: ({ part }, key) =>
        2 * (key.length + ('rewritten' in part ? part.rewritten.text.length : 400)) + 400,
    });
  }

  onContext(target: string, contextDigest: string): void {
    this.#contexts.set(target, contextDigest);
  }

  onBroken(): void {
    this.#contexts.clear();
    this.#facts.clear();
    this.#rewrites.clear();
  }

  /** The context in force as the stream names it; null where it names none. */
  contextOf(target: string): string | null {
    return this.#contexts.get(target) ?? null;
  }

  inspect(target: string, submitted: Analysable): Inspected | Promise<Inspected> {
    const key = keyOf(target, submitted);
    const known = this.#recall(this.#facts, target, key);
    return known ?? this.#inspect(target, submitted, key);
  }

  rewrite(
    target: string,
    submitted: Analysable,
    profile: string,
    lookups: readonly string[],
  ): RewriteResult | Promise<RewriteResult> {
    const key = canonicalJson([profile, lookups]) + keyOf(target, submitted);
    const known = this.#recall(this.#rewrites, target, key);
    return known ?? this.#rewrite(target, submitted, profile, lookups, key);
  }

  async release(
    target: string,
    profile: string,
    cells: readonly { readonly label: string; readonly value: Uint8Array }[],
  ): Promise<readonly Uint8Array[]> {
    const values: Uint8Array[] = [];
    for (const part of parted(cells)) {
      const request = {
        target,
        profile,
        cells: part.map(({ label, value }) => ({ label, value: Buffer.from(value) })),
      };
      const response = await this.#rpc.release(request).catch((thrown: unknown) => {
        throw answerOf(thrown, FAMILIES, 'masking.unavailable');
      });
      if (response.values.length !== part.length) throw new CountersignError('masking.unavailable');
      values.push(...response.values);
    }
    return values;
  }

  #recall<Part extends object>(
    cache: LRUCache<string, Remembered<Part>>,
    target: string,
    key: string,
  ): Part | null {
    const known = cache.get(key);
    return known !== undefined && known.contextDigest === this.#contexts.get(target) ? known.part : null;
  }

  #remember<Part extends object>(
    cache: LRUCache<string, Remembered<Part>>,
    target: string,
    key: string,
    remembered: Remembered<Part>,
  ): void {
    if (remembered.contextDigest === this.#contexts.get(target)) cache.set(key, remembered);
  }

  async #inspect(target: string, submitted: Analysable, key: string): Promise<Inspected> {
    const request = { context: contextOf(target, submitted) };
    const response = await this.#withCatalogue(target, () => this.#rpc.inspect(request));
    const part = readInspected(response);
    const { contextDigest } = part;
    this.#remember(this.#facts, target, key, { part, contextDigest });
    return part;
  }

  async #rewrite(
    target: string,
    submitted: Analysable,
    profile: string,
    lookups: readonly string[],
    key: string,
  ): Promise<RewriteResult> {
    const request = { context: contextOf(target, submitted), profile, lookups: [...lookups] };
    const response = await this.#withCatalogue(target, () => this.#rpc.rewrite(request));
    const part = readRewrite(response);
    this.#remember(this.#rewrites, target, key, { part, contextDigest: response.contextDigest });
    return part;
  }

  /** A masking service that has just started knows no catalogue: it is read, and the question asked once more. */
  async #withCatalogue<Response>(target: string, ask: () => Promise<Response>): Promise<Response> {
    try {
      return await ask();
    } catch (thrown) {
      if (!(thrown instanceof CountersignError) || thrown.code !== 'masking.catalogue_missing') {
        throw answerOf(thrown, FAMILIES, 'masking.unavailable');
      }
    }
    try {
      await this.#loadCatalogue(target);
      return await ask();
    } catch (thrown) {
      throw answerOf(thrown, [...FAMILIES, 'target.', 'recording.'], 'masking.unavailable');
    }
  }
}

/** Lengths are told before the text, so that different parts never make the same key. */
function keyOf(target: string, submitted: Analysable): string {
  return ` ${submitted.kind} ${target} ${typesOf(submitted).join(',')} ${submitted.text}`;
}

function contextOf(target: string, submitted: Analysable): maskingRpc.StatementContext {
  return { target, statement: submitted.text, parameterTypes: [...typesOf(submitted)] };
}

function typesOf(submitted: Analysable): readonly number[] {
  return submitted.kind === 'statement' ? submitted.parameterTypes : [];
}

function readInspected(response: maskingRpc.InspectResponse): Inspected {
  const factsText = response.facts.toString('utf8');
  if (response.facts.length > FACTS_LIMIT) throw new CountersignError('statement.too_complex');
  try {
    const facts = JSON.parse(factsText) as Facts;
    // What is digested, decided on and recorded must be one and the same text.
    if (canonicalJson(facts) !== factsText || digestOf(response.facts) !== response.factsDigest) {
      throw new TypeError('facts are not canonical');
    }
    const { factsDigest, contextDigest } = response;
    return { facts, factsText, factsDigest, contextDigest };
  } catch (cause) {
    throw new CountersignError('masking.unavailable', { cause });
  }
}

function readRewrite(response: maskingRpc.RewriteResponse): RewriteResult {
  const { result, contextDigest } = response;
  if (result?.$case === 'rewritten') {
    const { statement, releasedColumns, masked } = result.value;
    return { rewritten: { text: statement, releasedColumns, masked, contextDigest } };
  }
  if (result?.$case === 'refusal') {
    const { code, reason, wayOut } = result.value;
    return {
      refusal: new CountersignError(isErrorCode(code) ? code : 'masking.not_understood', {
        ...(reason === '' ? {} : { detail: reason }),
        ...(wayOut === '' ? {} : { next: wayOut }),
      }),
    };
  }
  throw new CountersignError('masking.unavailable');
}

function* parted<Cell extends { readonly value: Uint8Array }>(cells: readonly Cell[]): Iterable<Cell[]> {
  let part: Cell[] = [];
  let bytes = 0;
  for (const cell of cells) {
    if (part.length === CELLS_LIMIT || (part.length > 0 && bytes + cell.value.length > CELL_BYTES_LIMIT)) {
      yield part;
      part = [];
      bytes = 0;
    }
    part.push(cell);
    bytes += cell.value.length;
  }
  if (part.length > 0) yield part;
}
