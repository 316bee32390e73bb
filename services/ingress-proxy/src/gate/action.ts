import { CountersignError, type ErrorCode } from '@countersign/errors';

/** A parameter or a cell, in the target's text form unless it is said otherwise; null is NULL. */
export type Value = Uint8Array | null;

/** Parameters of which some are in the target's binary form. */
export interface BinaryParameters {
  /** For each parameter, 1 for binary. */
  readonly formats: readonly (0 | 1)[];
  /** How a person reads each, with its type; null for those in text form. */
  readonly shown: () => readonly (string | null)[];
}

/** What an agent asks of a target, as a protocol adapter understood it. */
export type Submitted =
  | {
      readonly kind: 'statement';
      readonly text: string;
      /** Types as the agent declared them, 0 where it did not. */
      readonly parameterTypes: readonly number[];
      readonly parameters: readonly Value[];
      /** Which parameters are not in text form; absent where all are. */
      readonly binary?: BinaryParameters;
      /** `prepare`: nothing runs, the agent only asks what the result would look like. */
      readonly purpose: 'run' | 'prepare';
    }
  | {
      readonly kind: 'request';
      /** All of it that may change its facts, and nothing else: what analysis reads. Equal texts have equal facts. */
      readonly text: string;
      /** Exactly what is sent to the target but for its credential, up to and including an empty line. */
      readonly head: string;
      /** The bytes that follow. */
      readonly body: Uint8Array;
      readonly purpose: 'run';
    }
  | {
      /** What the adapter cannot turn into one of the others: it is refused, and recorded as such. */
      readonly kind: 'unanalysable';
      readonly code: ErrorCode;
      /** What was sent, or what stands for it: only committed to. */
      readonly bytes: Uint8Array;
    };

export type Statement = Extract<Submitted, { kind: 'statement' }>;
export type Request = Extract<Submitted, { kind: 'request' }>;
/** What analysis can be asked about. */
export type Analysable = Statement | Request;

/** State of the target's transaction as the adapter sees it after an action. */
export type TransactionStanding = 'idle' | 'open' | 'failed' | 'lost';

/** How a run ended. */
export interface RunReport {
  readonly status: 'succeeded' | 'failed' | 'refused' | 'unknown';
  readonly error: ErrorCode | null;
  readonly sqlstate: string | null;
  /** Rows released or affected. */
  readonly rows: number;
  readonly transaction: TransactionStanding;
  /** How a transaction ended in this action, where the target said so. */
  readonly ended: 'committed' | 'rolled-back' | null;
  /** More rows wait at the target until the agent asks for them: the action has not ended yet. */
  readonly suspended?: boolean;
}

/** An action whose rows come in several portions. */
export interface SuspendedAction {
  /**
   * The next portion, if the session may still act; else `abandon` gives up what is at the target, without a word to the
   * agent. Both throw nothing: what goes wrong is in the report.
   */
  continue(run: () => Promise<RunReport>, abandon: (code: ErrorCode) => Promise<RunReport>): Promise<Answer>;
  /** The end, which needs nobody's leave. */
  conclude(run: () => Promise<RunReport>): Promise<Answer>;
}

/** The release of one action's results: every value passes through it, in order. */
export interface Release {
  /** Positions in a result whose values must be replaced. */
  readonly columns: readonly number[];
  /** Whether masking changed the statement: then the origin of columns is not told. */
  readonly masked: boolean;
  /** Rows that may still be released; null without limit. */
  readonly rowLimit: number | null;
  /** Stand-ins for the values at one position each; NULL stays NULL. Throws masking.unavailable. */
  replace(
    cells: readonly { readonly column: number; readonly value: Uint8Array }[],
  ): Promise<readonly Uint8Array[]>;
  /** Commits to bytes that go to the agent as they are; called before they go. */
  commit(bytes: Uint8Array, rows: number, valueBytes: number): void;
}

/** What really runs: handed to an adapter once the decision is durable, and never before. */
export interface Running {
  readonly action: string;
  /** The statement that runs; of a request, masking's plan for its answer. */
  readonly text: string;
  readonly parameterTypes: readonly number[];
  readonly parameters: readonly Value[];
  /** One for each parameter, or none where all are text. */
  readonly parameterFormats: readonly (0 | 1)[];
  readonly purpose: 'run' | 'prepare';
  readonly timeLimitSeconds: number | null;
  readonly release: Release;
  /** Names that the agent knows already, so that errors may repeat them: `schema.relation`, `schema.relation.column`. */
  readonly knownNames: ReadonlySet<string>;
}

/** What the gate asks of a protocol adapter for one action. */
export interface ActionPort {
  /**
   * Aborts when the agent is gone or the service stops: nothing waits any longer. Where the agent cancels, the reason is a
   * CountersignError: nothing that has not begun begins, and what runs is for the adapter to stop.
   */
  readonly signal: AbortSignal;
  /** How long the agent wants to wait for a human at most, milliseconds; absent, as long as the gateway lets it. */
  readonly patienceMilliseconds?: number;
  /** Tells the agent that its action waits. */
  waiting(approval: string): void;
  /** Runs on the target. Called at most once. Throws nothing: what goes wrong is in the report. */
  run(running: Running): Promise<RunReport>;
}

/** That the agent cancelled its action, and with which words; null where it did not. */
export function cancellationOf(signal: AbortSignal): CountersignError | null {
  return signal.reason instanceof CountersignError ? signal.reason : null;
}

/** What became of a submitted action. */
export type Answer =
  | {
      readonly kind: 'ran';
      readonly action: string;
      readonly report: RunReport;
      /** Null once the action has ended. */
      readonly more: SuspendedAction | null;
    }
  | {
      readonly kind: 'refused';
      readonly action: string;
      readonly error: CountersignError;
      readonly rules: readonly string[];
      /** Id of the approval that it waits for or that stopped it; null where none was asked for. */
      readonly approval: string | null;
      /** Whether the session ends with it. */
      readonly ends: 'token-expired' | 'grant-ended' | null;
    };
