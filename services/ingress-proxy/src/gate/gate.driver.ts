import { randomUUIDv7 } from 'node:crypto';
import { CountersignError, toCountersignError } from '@countersign/errors';
import type { ActionPort, Answer, RunReport, Statement, Submitted } from './action.js';
import { bindingText } from './binding.js';
import { DescribedFacts } from './described.store.js';
import {
  type ActionIdentity,
  completedEvent,
  decidedEvent,
  factsEvent,
  knownNames,
  limitsOf,
  stoppedOutcome,
  transactionEvent,
} from './events.js';
import * as machine from './machine.js';
import { policyInputKey, policyInputText } from './policy-input.js';
import type {
  AnyDraft,
  ApprovalPort,
  ClockPort,
  Decided,
  GrantPort,
  Held,
  Inspected,
  MaskingPort,
  PolicyPort,
  RecorderPort,
  RewriteResult,
} from './ports.js';
import { ActionRelease } from './release.driver.js';
import type { GateSession } from './session.js';
import { afterRefusal, afterRun, blockedByRefusal, placeIn, type TransactionPlace } from './transaction.js';

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
interface Journey {
  readonly session: GateSession;
  readonly submitted: Submitted;
  readonly port: ActionPort;
  readonly action: ActionIdentity;
  readonly place: TransactionPlace;
  readonly started: number;
  binding: string;
  deadline: number;
}

/**
 * The one way of every action: inspect → decide → rewrite → record → (hold → decide → record → consume) → run →
 * release → complete. What to do next is said by the pure machine; here it is done.
 */
export class Gate {
  readonly #ports: GatePorts;
  readonly #options: GateOptions;
  readonly #described = new DescribedFacts();

  constructor(ports: GatePorts, options: GateOptions) {
    this.#ports = ports;
    this.#options = options;
  }

  /** Actions of one session must not overlap. Never throws. */
  async submit(session: GateSession, submitted: Submitted, port: ActionPort): Promise<Answer> {
    const journey: Journey = {
      session,
      submitted,
      port,
      action: { id: randomUUIDv7(), ordinal: session.nextOrdinal },
      place: placeIn(session.transaction),
      started: this.#ports.clock.microseconds(),
      binding: '',
      deadline: Number.POSITIVE_INFINITY,
    };
    session.nextOrdinal += 1;
    if (submitted.kind === 'unanalysable') {
      return this.#follow(journey, machine.unanalysable(new CountersignError(submitted.code)), null);
    }
    return this.#follow(journey, machine.firstState(submitted.purpose), submitted);
  }

  async #follow(journey: Journey, first: machine.ActionState, statement: Statement | null): Promise<Answer> {
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
      // Only what is a statement gets beyond the record of its refusal.
      if (statement === null) return this.#refused(journey, state, new CountersignError('internal'));
      if (step.do === 'run') return this.#run(journey, state, statement);
      const next = this.#advance(journey, state, statement);
      state = next instanceof Promise ? await next : next;
    }
  }

  /** One step that asks somebody. Where the answer is remembered, nothing is waited for. */
  #advance(
    journey: Journey,
    state: machine.ActionState,
    statement: Statement,
  ): machine.ActionState | Promise<machine.ActionState> {
    const around: machine.Circumstances = {
      dirtyTransaction: journey.session.transaction?.dirty ?? false,
      blocked: (inspected) => blockedByRefusal(journey.session.transaction, inspected.facts),
    };
    switch (state.step.do) {
      case 'admit':
        return settle(
          () => this.#admit(journey.session),
          (result) => machine.afterAdmission(state, result instanceof CountersignError ? result : null),
        );
      case 'inspect':
        return settle(
          (): Inspected | Promise<Inspected> =>
            this.#ports.masking.inspect(journey.session.claims.target, statement),
          (result) => machine.afterInspection(state, result, around),
        );
      case 'decide':
        return settle(
          () => this.#decide(journey.session, state),
          (result) => machine.afterDecision(state, result),
        );
      case 'rewrite':
        return settle(
          () => this.#rewrite(journey.session, state, statement),
          (result) => machine.afterRewrite(state, result, around),
        );
      case 'hold':
        return this.#hold(journey, state, statement);
      case 'await':
        return this.#await(journey, state);
      case 'consume':
        return settle(
          async () =>
            this.#ports.approval.consume(state.approval?.id ?? '', journey.binding, journey.action.id),
          (result) => machine.afterConsumption(state, result instanceof CountersignError ? result : null),
        );
      default:
        throw new Error('this step asks nobody');
    }
  }

  #admit(session: GateSession): undefined | Promise<void> {
    if (session.tokenExpiresAt !== null && this.#ports.clock.now() >= session.tokenExpiresAt * 1000) {
      throw new CountersignError('auth.token_expired');
    }
    const checked = this.#ports.grants.check(session.claims.grant, session.grant);
    return checked instanceof Promise ? checked : undefined;
  }

  #decide(session: GateSession, state: machine.ActionState): Decided | Promise<Decided> {
    const inspected = required(state.inspected);
    const time = Math.floor(this.#ports.clock.now() / 1000);
    const { approval } = state;
    return this.#ports.policy.decide({
      time,
      key: policyInputKey({ time, approval }, inspected.factsDigest, session.digest),
      input: () =>
        policyInputText({ time, claimsText: session.claimsText, factsText: inspected.factsText, approval }),
    });
  }

  #rewrite(
    session: GateSession,
    state: machine.ActionState,
    statement: Statement,
  ): RewriteResult | Promise<RewriteResult> {
    const obligations = required(required(state.decided).decision.obligations);
    const { profile, lookups } = obligations;
    return this.#ports.masking.rewrite(session.claims.target, statement, profile, lookups);
  }

  async #hold(
    journey: Journey,
    state: machine.ActionState,
    statement: Statement,
  ): Promise<machine.ActionState> {
    const { session, action } = journey;
    const inspected = required(state.inspected);
    const { decision } = required(state.decided);
    const bound = required(state.bound);
    journey.binding = bindingText(session.claims, statement, bound.policyDigest, bound.profile);
    journey.deadline = this.#ports.clock.now() + this.#options.holdMilliseconds;
    return this.#waited(journey, state, () =>
      this.#ports.approval.hold({
        binding: journey.binding,
        statement,
        factsText: inspected.factsText,
        action: action.id,
        session: session.claims.session,
        reason: decision.reason,
        rules: decision.rules,
      }),
    );
  }

  #await(journey: Journey, state: machine.ActionState): Promise<machine.ActionState> {
    const held = required(state.held);
    const left = Math.max(0, journey.deadline - this.#ports.clock.now());
    const milliseconds = Math.min(left, this.#options.noticeMilliseconds);
    return this.#waited(journey, state, async () => {
      try {
        return await this.#ports.approval.await(held.id, milliseconds, journey.port.signal);
      } catch (thrown) {
        // Whoever has left does not wait any longer; the approval stays open for the next submission.
        if (journey.port.signal.aborted) return { status: 'pending', approval: held };
        throw thrown;
      }
    });
  }

  async #waited(
    journey: Journey,
    state: machine.ActionState,
    ask: () => Promise<Held>,
  ): Promise<machine.ActionState> {
    return settle(ask, (result) => {
      const patience = this.#ports.clock.now() < journey.deadline && !journey.port.signal.aborted;
      const next = machine.afterHold(state, result, patience);
      if (next.step.do === 'await' && next.held !== null) journey.port.waiting(next.held.id);
      return next;
    });
  }

  /** Durable, or an error: only afterwards may anything else happen. */
  async #record(
    journey: Journey,
    state: machine.ActionState,
    step: Extract<machine.Step, { do: 'record' }>,
  ): Promise<CountersignError | null> {
    const { session, action, submitted, place } = journey;
    const runs = step.next === 'run' || step.next === 'consume';
    const now = Math.floor(this.#ports.clock.now() / 1000);
    const decided = decidedEvent(session, action, submitted, state, step.finding, place, runs, now);
    try {
      await this.#appendDescribed(session, state.inspected, decided);
      this.#ports.observer.decided(step.finding.verdict, step.finding.stage);
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

  async #run(journey: Journey, state: machine.ActionState, statement: Statement): Promise<Answer> {
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
    const started = this.#ports.clock.microseconds();
    const report = await port
      .run({
        action: action.id,
        text: rewritten.text,
        parameterTypes: statement.parameterTypes,
        parameters: statement.parameters,
        purpose: statement.purpose,
        timeLimitSeconds: limits.timeLimitSeconds,
        release,
        knownNames: knownNames(facts),
      })
      .catch((): RunReport => lostReport);
    const durationMicroseconds = this.#ports.clock.microseconds() - started;
    const after = afterRun(session.transaction, facts, report, randomUUIDv7());
    session.transaction = after.open;
    const { digest, bytes } = release.released;
    const { status, error, sqlstate, rows } = report;
    const outcome = { status, error, sqlstate, rows, bytes, released: digest, durationMicroseconds };
    this.#lazily([
      completedEvent(session, action, after.place, outcome),
      ...(after.ended === null ? [] : [transactionEvent(session, after.ended)]),
    ]);
    this.#ports.observer.completed(status);
    if (after.structureChanged) await this.#ports.structureChanged(session.claims.target);
    return { kind: 'ran', action: action.id, report };
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
    const rules = state.decided?.decision.rules ?? [];
    return { kind: 'refused', action: action.id, error, rules, ends: endOf(error) };
  }

  #elapsed(journey: Journey): number {
    return this.#ports.clock.microseconds() - journey.started;
  }
}

const lostReport: RunReport = {
  status: 'unknown',
  error: 'target.connection_lost',
  sqlstate: null,
  rows: 0,
  transaction: 'lost',
  ended: null,
};

function endOf(error: CountersignError): 'token-expired' | 'grant-ended' | null {
  if (error.code === 'auth.token_expired') return 'token-expired';
  return error.code.startsWith('grant.') ? 'grant-ended' : null;
}

/** Runs `ask` and turns what it gives or throws into the next state, at once where nothing has to be waited for. */
function settle<Result>(
  ask: () => Result | Promise<Result>,
  next: (result: Result | CountersignError) => machine.ActionState,
): machine.ActionState | Promise<machine.ActionState> {
  try {
    const asked = ask();
    if (!(asked instanceof Promise)) return next(asked);
    return asked.then(next, (thrown: unknown) => next(toCountersignError(thrown)));
  } catch (thrown) {
    return next(toCountersignError(thrown));
  }
}

function required<Part>(part: Part | null): Part {
  if (part === null) throw new CountersignError('internal');
  return part;
}
