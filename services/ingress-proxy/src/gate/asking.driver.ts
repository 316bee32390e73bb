import { CountersignError, toCountersignError } from '@countersign/errors';
import { type Analysable, cancellationOf } from './action.js';
import { bindingText } from './binding.js';
import { type GateOptions, type GatePorts, type Journey, required } from './journey.js';
import * as machine from './machine.js';
import { policyInputKey, policyInputText } from './policy-input.js';
import type { Decided, Held, Inspected, RewriteResult } from './ports.js';
import type { GateSession } from './session.js';
import { blockedByRefusal } from './transaction.js';

/** The steps of an action that ask a service, or remember what it said. */
export class Asking {
  readonly #ports: GatePorts;
  readonly #options: GateOptions;

  constructor(ports: GatePorts, options: GateOptions) {
    this.#ports = ports;
    this.#options = options;
  }

  /** One step that asks somebody. Where the answer is remembered, nothing is waited for. */
  next(
    journey: Journey,
    state: machine.ActionState,
    submitted: Analysable,
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
            this.#ports.masking.inspect(journey.session.claims.target, submitted),
          (result) => machine.afterInspection(state, result, around),
        );
      case 'decide':
        return settle(
          () => this.#decide(journey.session, state),
          (result) => machine.afterDecision(state, result),
        );
      case 'rewrite':
        return settle(
          () => this.#rewrite(journey.session, state, submitted),
          (result) => machine.afterRewrite(state, result, around),
        );
      case 'hold':
        return this.#hold(journey, state, submitted);
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

  /** Whether a session may have more of an action that it began; null where it may. */
  async mayContinue(session: GateSession): Promise<CountersignError | null> {
    if (session.transaction?.refused === true) return new CountersignError('statement.transaction_failed');
    try {
      await this.#admit(session);
      return null;
    } catch (thrown) {
      return toCountersignError(thrown);
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
    submitted: Analysable,
  ): RewriteResult | Promise<RewriteResult> {
    const obligations = required(required(state.decided).decision.obligations);
    const { profile, lookups } = obligations;
    return this.#ports.masking.rewrite(session.claims.target, submitted, profile, lookups);
  }

  async #hold(
    journey: Journey,
    state: machine.ActionState,
    submitted: Analysable,
  ): Promise<machine.ActionState> {
    const { session, action } = journey;
    const inspected = required(state.inspected);
    const { decision } = required(state.decided);
    const bound = required(state.bound);
    journey.binding = bindingText(session.claims, submitted, bound.policyDigest, bound.profile);
    const { patienceMilliseconds = Number.POSITIVE_INFINITY } = journey.port;
    journey.deadline =
      this.#ports.clock.now() + Math.min(this.#options.holdMilliseconds, patienceMilliseconds);
    return this.#waited(journey, state, () =>
      this.#ports.approval.hold({
        binding: journey.binding,
        submitted,
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
      const next = machine.afterHold(state, result, patience, cancellationOf(journey.port.signal));
      if (next.step.do === 'await' && next.held !== null) journey.port.waiting(next.held.id);
      return next;
    });
  }
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
