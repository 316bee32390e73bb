import { CountersignError } from '@countersign/errors';
import type { ActionPort, Submitted } from './action.js';
import type { ActionIdentity } from './events.js';
import type { ApprovalPort, ClockPort, GrantPort, MaskingPort, PolicyPort, RecorderPort } from './ports.js';
import type { GateSession } from './session.js';
import type { TransactionPlace } from './transaction.js';

export interface GatePorts {
  readonly masking: MaskingPort;
  readonly policy: PolicyPort;
  readonly approval: ApprovalPort;
  readonly grants: GrantPort;
  readonly recorder: RecorderPort;
  readonly clock: ClockPort;
  /** A target's structure may have changed; resolves when its catalogue was read again, or could not be. */
  readonly structureChanged: (target: string) => Promise<void>;
  readonly observer: GateObserver;
}

export interface GateObserver {
  decided(verdict: string, stage: string): void;
  completed(status: string): void;
  /** An action was refused because its decision could not be recorded. */
  unrecorded(): void;
}

export interface GateOptions {
  /** How long a connection waits for a human. */
  readonly holdMilliseconds: number;
  /** How often it is told that it waits. */
  readonly noticeMilliseconds: number;
}

/** What one action carries along its way. */
export interface Journey {
  readonly session: GateSession;
  readonly submitted: Submitted;
  readonly port: ActionPort;
  readonly action: ActionIdentity;
  readonly place: TransactionPlace;
  readonly started: number;
  binding: string;
  deadline: number;
}

/** What an earlier step must have left. */
export function required<Part>(part: Part | null): Part {
  if (part === null) throw new CountersignError('internal');
  return part;
}
