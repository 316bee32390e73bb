import type { ApprovalPort, ClockPort, Gate } from '../../../gate/index.js';
import type {
  Attempts,
  EndReason,
  GrantWatch,
  Refusals,
  Sessions,
  TokenVerifier,
  Transport,
} from '../../../session/index.js';
import type { HttpTarget } from '../../../targets/index.js';
import type { Destination } from '../request/index.js';
import type { Upstream } from '../upstream.client.js';
import type { ApprovalPlaces } from './approval-places.store.js';
import type { ExecutionLimits } from './execution.driver.js';

/** What connections happened to be, for counters. */
export interface ConnectionObserver {
  refused(code: string): void;
  opened(): void;
  ended(reason: EndReason): void;
}

/** A target as it is served. */
export interface ServedTarget {
  readonly target: HttpTarget;
  readonly destination: Destination;
  readonly upstream: Upstream;
  /** Lower-case names of headers of its answers that agents get to see. */
  readonly answered: ReadonlySet<string>;
}

export interface HttpAgentLimits extends ExecutionLimits {
  /** Largest body of a request, bytes. */
  readonly requestBytes: number;
}

/** All that serving agents over HTTP needs. */
export interface HttpAgentContext {
  readonly targets: ReadonlyMap<string, ServedTarget>;
  readonly tokens: TokenVerifier;
  readonly grants: GrantWatch;
  readonly sessions: Sessions;
  readonly refusals: Refusals;
  readonly attempts: Attempts;
  readonly gate: Gate;
  readonly approvals: ApprovalPort;
  readonly places: ApprovalPlaces;
  readonly clock: ClockPort;
  readonly limits: HttpAgentLimits;
  readonly stopping: AbortSignal;
  readonly observer: ConnectionObserver;
}

/** Where a connection came from. */
export interface Peer {
  readonly name: string;
  /** How its bytes travel; null where a token would travel in clear. */
  readonly transport: Transport | null;
}
