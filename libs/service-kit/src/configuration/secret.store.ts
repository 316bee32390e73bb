import { readFileSync, statSync } from 'node:fs';
import { CountersignError } from '@countersign/errors';
import { z } from 'zod';

/** A key file or password longer than this is a mistake. Bytes. */
const maximumBytes = 64 * 1024;

/**
 * A secret of the configuration. It never shows itself: neither printed, nor logged, nor turned into JSON.
 * One from a file is read at each call, so that a rotated file is seen.
 */
export class Secret {
  readonly #read: () => string;

  constructor(read: () => string) {
    this.#read = read;
  }

  /** The secret itself, without a trailing line break. Throws config.invalid when its file cannot be read. */
  reveal(): string {
    return this.#read();
  }

  toString(): string {
    return '[secret]';
  }

  toJSON(): string {
    return '[secret]';
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return '[secret]';
  }
}

/** Reads a small text file that the configuration names. Throws config.invalid without its content. */
export function readConfiguredFile(file: string): string {
  try {
    if (statSync(file).size > maximumBytes) {
      throw new CountersignError('config.invalid', { detail: `The file ${file} is larger than 64 KiB.` });
    }
    return readFileSync(file, 'utf8');
  } catch (error) {
    if (error instanceof CountersignError) throw error;
    const code = (error as NodeJS.ErrnoException).code ?? 'unknown error';
    throw new CountersignError('config.invalid', {
      detail: `The file ${file} cannot be read (${code}).`,
      cause: error,
    });
  }
}

/** A secret's text as the environment gave it; nothing in a file can pose as it. */
export class EnvironmentText {
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  secret(): Secret {
    return new Secret(() => this.#text);
  }
}

const secretOfFile = (file: string) => new Secret(() => readConfiguredFile(file).replace(/\r?\n$/, ''));

/**
 * A configuration key that holds a secret: `{ file: <path> }` in the configuration file, or the plain text in the
 * environment. The plain text in the file is refused, since such files are copied about.
 */
export function secret(description: string) {
  return z
    .union([z.strictObject({ file: z.string().min(1) }), z.instanceof(EnvironmentText)], {
      error: 'expected { file: <path> }, or the text through the environment',
    })
    .transform((source) => (source instanceof EnvironmentText ? source.secret() : secretOfFile(source.file)))
    .meta({ description, secret: true });
}
