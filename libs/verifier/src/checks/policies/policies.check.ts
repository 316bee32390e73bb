import {
  type ActionDecided,
  canonicalJson,
  type Decision,
  digestOf,
  type EventEnvelope,
  type EventType,
  type PolicyInput,
} from '@countersign/contracts';
import type { DossierPolicy } from '../../dossier/index.js';
import type { PolicyRunner } from '../../policy/index.js';
import type { FindingCode, Findings, Where } from '../../report/index.js';
import { type SeenEvent, whereOf } from '../event.js';
import { Bundles } from './bundles.js';
import { Described } from './described.js';
import { Reruns } from './rerun.js';
import { summaryDifference } from './summary.js';

/** What cannot be looked up, and how often it was needed: one absent event is one finding. */
interface Absent {
  readonly code: FindingCode;
  readonly where: Where;
  readonly what: string;
  count: number;
}

/** Runs the policy again on the input that the events give, and compares what it decides. */
export class PoliciesCheck {
  readonly #findings: Findings;
  readonly #bundles: Bundles;
  readonly #reruns: Reruns;
  readonly #described = new Described();
  readonly #absent = new Map<string, Absent>();
  /** Decisions that were run again. */
  rerun = 0;
  /** Actions that policy was never asked about: the gateway's own, and what could not be inspected. */
  unasked = 0;

  constructor(runner: PolicyRunner, findings: Findings) {
    this.#findings = findings;
    this.#bundles = new Bundles(runner, findings);
    this.#reruns = new Reruns(runner, findings);
  }

  async addPolicy(policy: DossierPolicy, line: number): Promise<void> {
    await this.#bundles.add(policy, line);
  }

  async add(event: SeenEvent): Promise<void> {
    const { envelope } = event;
    if (envelope === null) return;
    try {
      if (is(envelope, 'countersign.session.opened.v1'))
        this.#require(event, this.#described.openSession(envelope.data), 'claims');
      else if (is(envelope, 'countersign.session.ended.v1'))
        this.#described.endSession(envelope.data.session);
      else if (is(envelope, 'countersign.facts.described.v1'))
        this.#require(event, this.#described.describeFacts(envelope.data), 'facts');
      else if (is(envelope, 'countersign.policy.activated.v1'))
        this.#require(event, this.#bundles.activate(envelope.data), 'data');
      else if (is(envelope, 'countersign.action.decided.v1')) this.#decided(event, envelope.data);
    } catch {
      // Data of another shape than its type says makes any of these rules fail, and nothing of it can be looked up.
      this.#require(event, false, 'data');
    }
    await this.#reruns.ready();
  }

  /** Once all events were added. */
  async finish(): Promise<void> {
    await this.#reruns.finish();
    for (const { code, where, what, count } of this.#absent.values())
      this.#findings.add(
        code,
        where,
        `${what} It was needed for ${count} decision${count === 1 ? '' : 's'}, first at event index ${where.index}.`,
      );
    this.#bundles.finish();
  }

  #require(event: SeenEvent, sound: boolean, what: string): void {
    if (sound) return;
    this.#findings.add(
      'policy.described',
      whereOf(event),
      `The ${what} of event index ${event.index} are not what their digest or type says.`,
    );
  }

  #decided(event: SeenEvent, data: ActionDecided): void {
    const where = whereOf(event);
    if (data.decision === null) {
      this.unasked += 1;
      if (data.verdict !== 'deny' && event.envelope?.origin !== 'system')
        this.#findings.add(
          'policy.verdict',
          where,
          `Event index ${event.index} lets an action run that policy was never asked about.`,
        );
      return;
    }
    // A later stage may refuse what policy let pass, and nothing else.
    const refused = data.stage !== 'policy' && isRefusal(data.verdict) && !isRefusal(data.decision.verdict);
    if (data.verdict !== data.decision.verdict && !refused)
      this.#findings.add(
        'policy.verdict',
        where,
        `Event index ${event.index} holds as ${data.verdict} what policy decided as ${data.decision.verdict}.`,
      );
    const input = this.#inputOf(data, where);
    if (input !== null) this.#decideAgain(data, data.decision, input, where);
  }

  /** The input that session, facts and the event itself give; null where something of it is not there. */
  #inputOf(data: ActionDecided, where: Where): PolicyInput | null {
    const session = this.#described.session(data.sessionDigest);
    const facts = this.#described.facts(data.factsDigest ?? '');
    if (session === undefined) this.#needed('policy.session-absent', 'session', data.sessionDigest, where);
    if (facts === undefined) this.#needed('policy.facts-absent', 'facts', String(data.factsDigest), where);
    if (session === undefined || facts === undefined) return null;
    const difference = summaryDifference(data, session, facts);
    if (difference !== null)
      this.#findings.add(
        'policy.summary',
        where,
        `Event index ${where.index} says of ${difference} something else than its session and facts.`,
      );
    return { version: 1, time: data.decidedAt, session, facts, approval: data.approval };
  }

  #decideAgain(data: ActionDecided, recorded: Decision, input: PolicyInput, where: Where): void {
    const text = canonicalJson(input);
    const inputDigest = digestOf(text);
    if (inputDigest !== data.inputDigest) {
      this.#findings.add(
        'policy.input',
        where,
        `The decision of event index ${where.index} was recorded for another input than its session, facts, time and approval give.`,
      );
      return;
    }
    const policyDigest = String(data.policyDigest);
    const bundleDigest = this.#bundles.bundleOf(policyDigest);
    if (bundleDigest === undefined) this.#needed('policy.absent', 'policy', policyDigest, where);
    if (bundleDigest === undefined || bundleDigest === null) return;
    this.rerun += 1;
    this.#reruns.add({
      bundleDigest,
      policyDigest,
      input: text,
      inputDigest,
      recorded: canonicalJson(recorded),
      where,
    });
  }

  #needed(code: FindingCode, kind: string, digest: string, where: Where): void {
    const name = `${code} ${digest}`;
    const known = this.#absent.get(name);
    const what =
      kind === 'policy'
        ? `The policy ${digest} is not in the dossier.`
        : `No event describes the ${kind} ${digest}.`;
    if (known === undefined) this.#absent.set(name, { code, where, what, count: 1 });
    else known.count += 1;
  }
}

function isRefusal(verdict: string): boolean {
  return verdict === 'deny' || verdict === 'defer';
}

function is<Type extends EventType>(envelope: EventEnvelope, type: Type): envelope is EventEnvelope<Type> {
  return envelope.type === (type as EventType);
}
