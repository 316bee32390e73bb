import { randomUUIDv7 } from 'node:crypto';
import type { Mode } from '@countersign/contracts';
import { CountersignError, type ErrorCode } from '@countersign/errors';
import {
  type ActionPort,
  type Analysable,
  type Answer,
  cancellationOf,
  type RunReport,
  type Statement,
  type Submitted,
  type SuspendedAction,
} from './action.js';
import { Asking } from './asking.driver.js';
import { type Course, lostReport, RunTime } from './course.js';
import { DescribedFacts } from './described.store.js';
import {
  completedEvent,
  decidedEvent,
  factsEvent,
  knownNames,
  limitsOf,
  stoppedOutcome,
  transactionEvent,
} from './events.js';
import { type Explanation, explanationOf, lastDecisionOf, withOutcome } from './explanation.js';
import { type GateOptions, type GatePorts, type Journey, required } from './journey.js';
import * as machine from './machine.js';
import type { AnyDraft, Inspected } from './ports.js';
import { ActionRelease } from './release.driver.js';
import type { GateSession } from './session.js';
import { afterRefusal, afterRun, placeIn } from './transaction.js';

/**
 * The one way of every action: inspect → decide → rewrite → record → (hold → decide → record → consume) → run →
 * release → complete. What to do next is said by the pure machine; here it is done.
 */
export class Gate {
  readonly #ports: GatePorts;
  readonly #asking: Asking;
  readonly #described = new DescribedFacts();

  constructor(ports: GatePorts, options: GateOptions) {
    this.#ports = ports;
    this.#asking = new Asking(ports, options);
  }

  /** Actions of one session must not overlap. Never throws. */
  async submit(session: GateSession, submitted: Submitted, port: ActionPort): Promise<Answer> {
    const journey = this.#journey(session, submitted, port);
    if (submitted.kind === 'unanalysable') {
      return this.#follow(journey, machine.unanalysable(new CountersignError(submitted.code)), null);
    }
    return this.#follow(journey, machine.firstState(submitted.purpose), submitted);
  }

  /**
   * What would be decided on a statement, without running it or asking a human: recorded as a dry run, in no transaction.
   * Never throws.
   */
  async explain(session: GateSession, statement: Statement, signal: AbortSignal): Promise<Explained> {
    const port: ActionPort = { signal, waiting: () => undefined, run: async () => lostReport };
    const journey = { ...this.#journey(session, statement, port), place: null };
    let state = machine.firstState(statement.purpose);
    while (state.step.do !== 'record') {
      const next = this.#asking.next(journey, state, statement);
      state = next instanceof Promise ? await next : next;
    }
    const { finding } = state.step;
    const { action } = journey;
    const failure = await this.#append(journey, state, finding, { mode: 'dryrun', runs: false });
    const error = failure ?? finding.refusal;
    const ends = error === null ? null : endOf(error);
    if (failure !== null || ends !== null) {
      return refusalOf(action.id, error ?? new CountersignError('internal'));
    }
    return { kind: 'explained', explanation: explanationOf(action.id, state, finding) };
  }

  async #follow(
    journey: Journey,
    first: machine.ActionState,
    analysable: Analysable | null,
  ): Promise<Answer> {
    let state = first;
    for (;;) {
      const { step } = state;
      if (step.do === 'answer') return this.#refused(journey, state, step.error);
      if (step.do === 'record') {
        state = machine.afterRecord(state, await this.#record(journey, state, step));
        continue;
      }
      if (step.do === 'complete') {
        this.#complete(journey, stoppedOutcome(step.error.code, this.#elapsed(journey)));
        return this.#refused(journey, state, step.error);
      }
      const cancelled = cancellationOf(journey.port.signal);
      if (cancelled !== null && (step.do === 'consume' || step.do === 'run')) {
        state = machine.afterCancellation(state, cancelled);
        continue;
      }
      // Only what can be analysed gets beyond the record of its refusal.
      if (analysable === null) return this.#refused(journey, state, new CountersignError('internal'));
      if (step.do === 'run') return this.#run(journey, state, analysable);
      const next = this.#asking.next(journey, state, analysable);
      state = next instanceof Promise ? await next : next;
    }
  }

  #journey(session: GateSession, submitted: Submitted, port: ActionPort): Journey {
    const ordinal = session.nextOrdinal;
    session.nextOrdinal += 1;
    return {
      session,
      submitted,
      port,
      action: { id: randomUUIDv7(), ordinal },
      place: placeIn(session.transaction),
      started: this.#ports.clock.microseconds(),
      binding: '',
      deadline: Number.POSITIVE_INFINITY,
    };
  }

  /** Durable, or an error: only afterwards may anything else happen. */
  async #record(
    journey: Journey,
    state: machine.ActionState,
    step: Extract<machine.Step, { do: 'record' }>,
  ): Promise<CountersignError | null> {
    const { session, action } = journey;
    const runs = step.next === 'run' || step.next === 'consume';
    const failure = await this.#append(journey, state, step.finding, { mode: 'enforce', runs });
    session.lastDecision = lastDecisionOf(
      action.id,
      state,
      failure === null ? step.finding : { verdict: 'deny', stage: 'gate', refusal: failure },
    );
    // The decision may still become durable, only too late to act upon: its outcome says that nothing ran.
    if (failure !== null && runs)
      this.#complete(journey, stoppedOutcome(failure.code, this.#elapsed(journey)));
    return failure;
  }

  async #append(
    journey: Journey,
    state: machine.ActionState,
    finding: machine.Finding,
    { mode, runs }: { readonly mode: Mode; readonly runs: boolean },
  ): Promise<CountersignError | null> {
    const { session, action, submitted, place } = journey;
    const now = Math.floor(this.#ports.clock.now() / 1000);
    const decided = decidedEvent(session, action, submitted, state, finding, place, runs, now);
    try {
      await this.#appendDescribed(session, state.inspected, { ...decided, mode });
      if (mode === 'enforce') this.#ports.observer.decided(finding.verdict, finding.stage);
      return null;
    } catch (cause) {
      this.#ports.observer.unrecorded();
      return new CountersignError('recording.unavailable', { cause });
    }
  }

  async #appendDescribed(
    session: GateSession,
    inspected: Inspected | null,
    decided: AnyDraft,
  ): Promise<void> {
    const { recorder } = this.#ports;
    if (
      inspected === null ||
      this.#described.has(inspected.factsDigest) ||
      !(await this.#described.claim(inspected.factsDigest))
    ) {
      await recorder.append([decided]);
      return;
    }
    let durable = false;
    try {
      await recorder.append([factsEvent(session, inspected.factsDigest, inspected.facts), decided]);
      durable = true;
    } finally {
      this.#described.settle(inspected.factsDigest, durable);
    }
  }

  async #run(journey: Journey, state: machine.ActionState, submitted: Analysable): Promise<Answer> {
    const { session, action, port } = journey;
    const { facts } = required(state.inspected);
    const rewritten = required(state.rewritten);
    const { obligations } = required(state.decided).decision;
    const limits = limitsOf(obligations);
    const release = new ActionRelease({
      masking: this.#ports.masking,
      rewritten,
      target: session.claims.target,
      profile: obligations?.profile ?? '',
      rowLimit: limits.rowLimit,
      secret: session.secret,
      action: action.id,
    });
    const time = new RunTime(this.#ports.clock);
    const report = await time.timed(() =>
      port.run({
        action: action.id,
        text: rewritten.text,
        parameterTypes: submitted.kind === 'statement' ? submitted.parameterTypes : [],
        parameters: submitted.kind === 'statement' ? submitted.parameters : [],
        parameterFormats: submitted.kind === 'statement' ? (submitted.binary?.formats ?? []) : [],
        purpose: submitted.purpose,
        timeLimitSeconds: limits.timeLimitSeconds,
        release,
        knownNames: knownNames(facts),
      }),
    );
    const after = afterRun(session.transaction, facts, report, randomUUIDv7());
    session.transaction = after.open;
    return this.#ran(journey, { time, release, after }, report);
  }

  /** What came of a run, or of a portion of it: only the last one is the outcome. */
  async #ran(journey: Journey, course: Course, report: RunReport): Promise<Answer> {
    const { session, action } = journey;
    const { time, release, after } = course;
    if (report.suspended === true) {
      const more: SuspendedAction = {
        continue: async (run, abandon) => {
          const refusal = await this.#asking.mayContinue(session);
          if (refusal === null) return this.#ran(journey, course, await time.timed(run));
          await this.#ran(journey, course, await time.timed(() => abandon(refusal.code)));
          return refusalOf(action.id, refusal);
        },
        conclude: async (run) => this.#ran(journey, course, await time.timed(run)),
      };
      return { kind: 'ran', action: action.id, report, more };
    }
    const { digest, bytes } = release.released;
    const { status, error, sqlstate, rows } = report;
    const durationMicroseconds = time.microseconds;
    const outcome = { status, error, sqlstate, rows, bytes, released: digest, durationMicroseconds };
    this.#lazily([
      completedEvent(session, action, after.place, outcome),
      ...(after.ended === null ? [] : [transactionEvent(session, after.ended)]),
    ]);
    this.#ports.observer.completed(status);
    this.#remember(session, action.id, error);
    if (after.structureChanged) await this.#ports.structureChanged(session.claims.target);
    return { kind: 'ran', action: action.id, report, more: null };
  }

  #complete(journey: Journey, outcome: Parameters<typeof completedEvent>[3]): void {
    this.#lazily([completedEvent(journey.session, journey.action, journey.place, outcome)]);
    this.#ports.observer.completed(outcome.status);
  }

  /** The recorder sends again what it could not deliver: nothing is to be done about a failure here. */
  #lazily(drafts: readonly AnyDraft[]): void {
    this.#ports.recorder.appendLazily(drafts).catch(() => undefined);
  }

  #refused(journey: Journey, state: machine.ActionState, error: CountersignError): Answer {
    const { session, action } = journey;
    session.transaction = afterRefusal(session.transaction);
    this.#remember(session, action.id, error);
    const rules = state.decided?.decision.rules ?? [];
    const approval = state.held?.id ?? null;
    return { ...refusalOf(action.id, error), rules, approval };
  }

  #remember(session: GateSession, action: string, error: CountersignError | ErrorCode | null): void {
    const last = withOutcome(session.lastDecision, action, error);
    if (last !== undefined) session.lastDecision = last;
  }

  #elapsed(journey: Journey): number {
    return this.#ports.clock.microseconds() - journey.started;
  }
}

/** What became of a wish for an explanation. */
export type Explained =
  | { readonly kind: 'explained'; readonly explanation: Explanation }
  | Extract<Answer, { kind: 'refused' }>;

/** A refusal that neither policy's rules nor an approval stand behind. */
function refusalOf(action: string, error: CountersignError): Extract<Answer, { kind: 'refused' }> {
  return { kind: 'refused', action, error, rules: [], approval: null, ends: endOf(error) };
}

function endOf(error: CountersignError): 'token-expired' | 'grant-ended' | null {
  if (error.code === 'auth.token_expired') return 'token-expired';
  return error.code.startsWith('grant.') ? 'grant-ended' : null;
}
