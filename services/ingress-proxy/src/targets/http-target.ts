import type { Operation } from '@countersign/contracts';

/** A protected HTTP service as it is configured. */
export interface HttpTarget {
  readonly name: string;
  readonly host: string;
  readonly port: number;
  /** Goes before each path; without a slash at its end. */
  readonly basePath: string;
  readonly tls: { readonly authority: string | null; readonly serverName: string } | null;
  /** The header that tells the target who the gateway is; its value is read anew each time. Null for none. */
  readonly credential: { readonly header: string; readonly value: () => string } | null;
  /** What agents may ask of it; all else is refused. */
  readonly operations: readonly Operation[];
  /** Lower-case names of headers of agents that it gets to see, beside the usual ones. */
  readonly requestHeaders: readonly string[];
  /** Lower-case names of headers of its answers that agents get to see, beside the usual ones. */
  readonly responseHeaders: readonly string[];
}
