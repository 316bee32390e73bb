import { createHash, type Hash } from 'node:crypto';
import { CountersignError, type ErrorCode } from '@countersign/errors';

/** One message as it travels: its type byte (0 for the untyped first packet) and the bytes after the length. */
export interface Frame {
  /** ASCII code of the type; 0 for the untyped packets before authentication. */
  readonly type: number;
  readonly body: Buffer;
  /** The whole message, type and length included: a view on the same memory as `body`. */
  readonly whole: Buffer;
}

/** A message that was too large to keep: its bytes were dropped as they came, but they were counted and hashed. */
export interface DroppedFrame {
  readonly type: number;
  readonly dropped: { readonly length: number; readonly sha256: string };
}

export type AnyFrame = Frame | DroppedFrame;

/** What may follow a type byte. */
export interface FrameRule {
  /** Most bytes of the body that are kept. */
  readonly maximum: number;
  /** Least bytes of a body. */
  readonly minimum?: number;
  /** A larger body is dropped and reported, up to this length; absent, it ends the connection. */
  readonly droppable?: number;
}

export interface FramingRules {
  /** Rule of a type byte, or null where the type is unknown. */
  readonly ruleOf: (type: number) => FrameRule | null;
}

const LENGTH_BYTES = 4;

/**
 * Cuts a stream of bytes into PostgreSQL 3.0 messages ("Message Flow", "Message Formats"), whatever the chunks.
 * An untyped packet is expected while `untyped` is set. Throws a CountersignError on the first violation, after the
 * messages before it were handed out; nothing may be pushed afterwards.
 */
export class FrameParser {
  #untyped: boolean;
  #rules: FramingRules;
  readonly #untypedMaximum: number;
  #chunks: Buffer[] = [];
  #buffered = 0;
  #dropping: { type: number; length: number; left: number; hash: Hash } | null = null;

  constructor(options: { rules: FramingRules; untyped: boolean; untypedMaximum: number }) {
    this.#rules = options.rules;
    this.#untyped = options.untyped;
    this.#untypedMaximum = options.untypedMaximum;
  }

  /** Bytes that wait for the rest of their message. */
  get buffered(): number {
    return this.#buffered;
  }

  /** From now on messages carry a type byte, under these rules. */
  expectTyped(rules: FramingRules): void {
    this.#untyped = false;
    this.#rules = rules;
  }

  push(chunk: Buffer): void {
    if (chunk.length === 0) return;
    this.#chunks.push(chunk);
    this.#buffered += chunk.length;
  }

  /** The next whole message, or null until more bytes come. */
  next(): AnyFrame | null {
    if (this.#dropping !== null) return this.#drop(this.#dropping);
    const header = this.#untyped ? LENGTH_BYTES : LENGTH_BYTES + 1;
    // An unknown type is refused by its first byte, without waiting for a length that nobody sent.
    if (!this.#untyped && this.#buffered > 0) this.#ruleOf(this.#peek(1).readUInt8(0));
    if (this.#buffered < header) return null;
    const head = this.#peek(header);
    const type = this.#untyped ? 0 : head.readUInt8(0);
    const length = head.readInt32BE(header - LENGTH_BYTES) - LENGTH_BYTES;
    const rule = this.#untyped ? { maximum: this.#untypedMaximum, minimum: 4 } : this.#ruleOf(type);
    if (length < (rule.minimum ?? 0)) throw malformed('A message is shorter than its kind allows.');
    if (length > rule.maximum) {
      if (rule.droppable === undefined || length > rule.droppable) throw tooLarge();
      this.#take(header);
      this.#dropping = { type, length, left: length, hash: createHash('sha256') };
      return this.#drop(this.#dropping);
    }
    if (this.#buffered < header + length) return null;
    const whole = this.#take(header + length);
    return { type, body: whole.subarray(header), whole };
  }

  #ruleOf(type: number): FrameRule {
    const rule = this.#rules.ruleOf(type);
    if (rule === null) throw malformed('The type of a message is unknown.');
    return rule;
  }

  #drop(dropping: { type: number; length: number; left: number; hash: Hash }): DroppedFrame | null {
    const part = this.#take(Math.min(dropping.left, this.#buffered));
    dropping.hash.update(part);
    dropping.left -= part.length;
    if (dropping.left > 0) return null;
    this.#dropping = null;
    return {
      type: dropping.type,
      dropped: { length: dropping.length, sha256: dropping.hash.digest('hex') },
    };
  }

  #peek(length: number): Buffer {
    const first = this.#chunks[0];
    if (first !== undefined && first.length >= length) return first;
    // Joined once for each message, never once for each chunk: the cost stays linear in the bytes.
    const joined = Buffer.concat(this.#chunks);
    this.#chunks = [joined];
    return joined;
  }

  #take(length: number): Buffer {
    if (length === 0) return Buffer.alloc(0);
    const buffer = this.#peek(length);
    const taken = buffer.subarray(0, length);
    const rest = buffer.subarray(length);
    if (rest.length === 0) this.#chunks.shift();
    else this.#chunks[0] = rest;
    this.#buffered -= length;
    return taken;
  }
}

export function malformed(detail: string): CountersignError {
  return new CountersignError('protocol.malformed', { detail });
}

function tooLarge(): CountersignError {
  const code: ErrorCode = 'protocol.too_large';
  return new CountersignError(code);
}

/** Whether the bytes of a message were dropped. */
export function isDropped(frame: AnyFrame): frame is DroppedFrame {
  return 'dropped' in frame;
}
