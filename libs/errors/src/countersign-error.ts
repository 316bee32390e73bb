import { type CatalogueEntry, catalogue, type ErrorCode, isErrorCode } from './catalogue.js';

export interface ErrorOptions {
  /** One more sentence for this occurrence. Must not hold a literal, credential or row value. */
  readonly detail?: string;
  /** What to do instead, where it is more precise than the catalogue's advice. */
  readonly next?: string;
  /** The cause, for logs only; it never crosses a wire. */
  readonly cause?: unknown;
}

/** An error of the catalogue. Its message is safe to show to an agent. */
export class CountersignError extends Error {
  override readonly name = 'CountersignError';
  readonly code: ErrorCode;
  readonly detail: string | undefined;
  readonly next: string;

  constructor(code: ErrorCode, options: ErrorOptions = {}) {
    const known = catalogue[code];
    super(options.detail === undefined ? known.message : `${known.message} ${options.detail}`, {
      cause: options.cause,
    });
    this.code = code;
    this.detail = options.detail;
    this.next = options.next ?? known.next;
  }

  get entry(): CatalogueEntry {
    return catalogue[this.code];
  }
}

/** The catalogued form of anything thrown: what is unknown becomes `fallback`, its text kept only as cause. */
export function toCountersignError(thrown: unknown, fallback: ErrorCode = 'internal'): CountersignError {
  return thrown instanceof CountersignError ? thrown : new CountersignError(fallback, { cause: thrown });
}

/** What crosses a wire between services. */
export interface WireError {
  readonly code: string;
  readonly detail?: string;
  readonly next?: string;
}

export function toWire(error: CountersignError): WireError {
  return {
    code: error.code,
    ...(error.detail === undefined ? {} : { detail: error.detail }),
    ...(error.next === error.entry.next ? {} : { next: error.next }),
  };
}

/** Reads a wire error; a code of a newer version becomes `internal`. */
export function fromWire(wire: WireError): CountersignError {
  return new CountersignError(isErrorCode(wire.code) ? wire.code : 'internal', {
    ...(wire.detail === undefined ? {} : { detail: wire.detail }),
    ...(wire.next === undefined ? {} : { next: wire.next }),
  });
}

/** RFC 9457 problem details. */
export interface ProblemDetails {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly code: ErrorCode;
  readonly next: string;
}

export function toProblem(error: CountersignError): ProblemDetails {
  return {
    type: `urn:countersign:error:${error.code}`,
    title: error.entry.message,
    status: error.entry.http,
    detail: error.message,
    code: error.code,
    next: error.next,
  };
}
