import type { Origin, SessionClaims } from '@countersign/contracts';
import type { LastDecision } from './explanation.js';
import type { GrantStanding } from './ports.js';
import type { OpenTransaction } from './transaction.js';

/** One agent's session, as the gate needs it. Its actions go one after the other. */
export interface GateSession {
  readonly claims: SessionClaims;
  /** Canonical JSON of the claims, and its digest. */
  readonly claimsText: string;
  readonly digest: string;
  /** Seconds since 1970; null for the gateway's own sessions. */
  readonly tokenExpiresAt: number | null;
  readonly origin: Origin;
  /** The source of all salts: sealed to evidence when the session was opened. */
  readonly secret: Uint8Array;
  readonly grant: GrantStanding;
  /** Ordinal of the next action. */
  nextOrdinal: number;
  transaction: OpenTransaction | null;
  /** Absent before the first action. */
  lastDecision?: LastDecision;
}
