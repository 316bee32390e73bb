import { malformed } from './framing.js';

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** UTF-8 (RFC 3629) to text; null where the bytes are not valid. */
export function decodeText(bytes: Uint8Array): string | null {
  try {
    return decoder.decode(bytes);
  } catch {
    return null;
  }
}

/** Reads the fields of one message body; every read is checked against its end. */
export class Cursor {
  readonly #body: Buffer;
  #position = 0;

  constructor(body: Buffer) {
    this.#body = body;
  }

  get left(): number {
    return this.#body.length - this.#position;
  }

  uint8(): number {
    this.#require(1);
    const value = this.#body.readUInt8(this.#position);
    this.#position += 1;
    return value;
  }

  /** A count or format code: Int16, but never negative. */
  count(): number {
    this.#require(2);
    const value = this.#body.readUInt16BE(this.#position);
    this.#position += 2;
    return value;
  }

  int16(): number {
    this.#require(2);
    const value = this.#body.readInt16BE(this.#position);
    this.#position += 2;
    return value;
  }

  int32(): number {
    this.#require(4);
    const value = this.#body.readInt32BE(this.#position);
    this.#position += 4;
    return value;
  }

  uint32(): number {
    this.#require(4);
    const value = this.#body.readUInt32BE(this.#position);
    this.#position += 4;
    return value;
  }

  bytes(length: number): Buffer {
    this.#require(length);
    const value = this.#body.subarray(this.#position, this.#position + length);
    this.#position += length;
    return value;
  }

  /** The bytes of a NUL-terminated string, without the NUL. */
  stringBytes(): Buffer {
    const end = this.#body.indexOf(0, this.#position);
    if (end < 0) throw malformed('A string has no end.');
    const value = this.#body.subarray(this.#position, end);
    this.#position = end + 1;
    return value;
  }

  /** A NUL-terminated name; a name that is not UTF-8 is malformed. */
  name(): string {
    const text = decodeText(this.stringBytes());
    if (text === null) throw malformed('A name is not UTF-8.');
    return text;
  }

  /** Ends the message: bytes that nobody asked for are a violation, not padding. */
  end(): void {
    if (this.left !== 0) throw malformed('A message holds more than its fields.');
  }

  #require(length: number): void {
    if (length < 0 || this.left < length) throw malformed('A message ends inside a field.');
  }
}
