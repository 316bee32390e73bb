import type { EvidenceRecord } from '@countersign/controls';
import type { Deployment } from '../deployment.js';
import type { AgentPart } from '../session/index.js';
import type { Agent } from './agent.js';
import type { Evidence } from './evidence.client.js';

/** What one step of the guided session may use. */
export interface Scene {
  readonly deployment: Deployment;
  readonly evidence: Evidence;
  /** Folder for dossiers that the session writes. */
  readonly output: string;
  agent(part: AgentPart): Promise<Agent>;
  say: Sayings;
}

/** How a step tells what happens, while it happens. */
export interface Sayings {
  /** What somebody sent. */
  sent(who: string, text: string): void;
  /** What came back. */
  got(text: string): void;
  /** What the evidence holds of it: the rule and the controls. */
  recorded(record: EvidenceRecord): void;
  /** Why neither a rule nor a control belongs to what was shown. */
  unrecorded(why: string): void;
  /** A claim of the step; the step fails when it does not hold. */
  check(holds: boolean, claim: string): void;
}

export interface Step {
  readonly title: string;
  run(scene: Scene): Promise<void>;
}
