import type { Auditor } from '../auth/index.js';

/** What the API uses of a request. */
export interface ApiRequest {
  readonly path: string;
  readonly headers: { readonly authorization?: string };
  readonly query: Readonly<Record<string, unknown>>;
  readonly route?: { readonly path?: unknown };
  /** Set by the guard. */
  auditor?: Auditor;
}

/** What the API uses of an answer that is streamed. */
export interface ApiAnswer {
  readonly headersSent: boolean;
  statusCode: number;
  setHeader(name: string, value: string): unknown;
  end(body?: string): unknown;
  destroy(): unknown;
  on(event: 'close', listener: () => void): unknown;
}
