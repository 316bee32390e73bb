import {
  type ActionDecided,
  canonicalJson,
  type Decision,
  digestOfJson,
  type EventEnvelope,
  type EventType,
  type Facts,
  type PolicyInput,
  type SessionClaims,
} from '@countersign/contracts';
import { CountersignError } from '@countersign/errors';
import { type LoadedPolicy, loadPolicy } from '@countersign/policy-runtime';
import { fromBase64 } from '@countersign/transparency';
import { type DossierPolicy, dossierLimits } from '../dossier/index.js';
import type { FindingCode, Findings, Where } from '../report/index.js';
import { type SeenEvent, whereOf } from './event.js';
import { summaryDifference } from './summary.js';

/** Ended sessions whose claims are kept for a while: a decision may still be on its way when its session ends. */
const ENDED_SESSIONS = 1000;
/** Decisions that are kept to be compared again: within a second many actions have the same input. */
const KNOWN_DECISIONS = 4096;

interface Policy {
  /** Null where the bundle cannot be loaded. */
  readonly loaded: LoadedPolicy | null;
  readonly bundleDigest: string | null;
  readonly line: number;
  /** Bundle digest that an event of the policy service named for it; null where none did yet. */
  activated: string | null;
}

/** What cannot be looked up, and how often it was needed: one absent event is one finding. */
interface Absent {
  readonly code: FindingCode;
  readonly where: Where;
  readonly what: string;
  count: number;
}

type Decided = EventEnvelope<'countersign.action.decided.v1'>;

/** Runs the policy again on the input that the events give, and compares what it decides. */
export class PoliciesCheck {
  readonly #findings: Findings;
  readonly #policies = new Map<string, Policy>();
  readonly #activations = new Map<string, string>();
  readonly #sessions = new Map<string, SessionClaims>();
  readonly #sessionDigests = new Map<string, string>();
  readonly #ended: string[] = [];
  readonly #facts = new Map<string, Facts>();
  readonly #decisions = new Map<string, string>();
  readonly #absent = new Map<string, Absent>();
  #bytes = 0;
  /** Decisions that were run again. */
  rerun = 0;
  /** Actions that policy was never asked about: the gateway's own, and what could not be inspected. */
  unasked = 0;

  constructor(findings: Findings) {
    this.#findings = findings;
  }

  async addPolicy({ policyDigest, bundle }: DossierPolicy, line: number): Promise<void> {
    const where = { line, policyDigest };
    this.#bytes += bundle.length;
    if (this.#policies.size >= dossierLimits.policies || this.#bytes > dossierLimits.policyBytes) {
      this.#findings.add('policy.unreadable', where, 'The dossier holds more policy than a verifier takes.');
      return;
    }
    const loaded = await this.#load(fromBase64(bundle), policyDigest, where);
    this.#policies.set(policyDigest, {
      loaded,
      bundleDigest: loaded?.bundleDigest ?? null,
      line,
      activated: null,
    });
  }

  add(event: SeenEvent): void {
    const { envelope } = event;
    if (envelope === null) return;
    try {
      if (is(envelope, 'countersign.session.opened.v1')) this.#openSession(event, envelope.data);
      else if (is(envelope, 'countersign.session.ended.v1')) this.#endSession(envelope.data.session);
      else if (is(envelope, 'countersign.facts.described.v1')) this.#describe(event, envelope.data);
      else if (is(envelope, 'countersign.policy.activated.v1'))
        this.#activations.set(envelope.data.policyDigest, envelope.data.bundleDigest);
      else if (is(envelope, 'countersign.action.decided.v1')) this.#decide(event, envelope);
    } catch {
      // Data of another shape than its type says makes any of these rules fail, and nothing of it can be looked up.
      this.#findings.add(
        'policy.described',
        whereOf(event),
        `The data of event index ${event.index} is not what its type has.`,
      );
    }
  }

  /** Once all events were added. */
  finish(): void {
    for (const { code, where, what, count } of this.#absent.values())
      this.#findings.add(
        code,
        where,
        `${what} It was needed for ${count} decision${count === 1 ? '' : 's'}, first at event index ${where.index}.`,
      );
    for (const [policyDigest, { bundleDigest, line }] of this.#policies) {
      const activated = this.#activations.get(policyDigest);
      const where = { line, policyDigest };
      if (activated === undefined)
        this.#findings.add(
          'policy.not-activated',
          where,
          `No event says that the policy ${policyDigest} was activated.`,
        );
      else if (bundleDigest !== null && activated !== bundleDigest)
        this.#findings.add(
          'policy.bundle',
          where,
          `The bundle of policy ${policyDigest} has the digest ${bundleDigest}; the one that was activated has ${activated}.`,
        );
    }
  }

  async #load(bytes: Uint8Array, policyDigest: string, where: Where): Promise<LoadedPolicy | null> {
    try {
      const loaded = await loadPolicy(bytes);
      if (loaded.policyDigest === policyDigest) return loaded;
      this.#findings.add(
        'policy.bundle',
        where,
        `The bundle is that of policy ${loaded.policyDigest}, not of ${policyDigest}.`,
      );
    } catch (error) {
      if (!(error instanceof CountersignError)) throw error;
      this.#findings.add(
        'policy.unreadable',
        where,
        `The bundle of policy ${policyDigest} cannot be loaded.`,
      );
    }
    return null;
  }

  #openSession(event: SeenEvent, data: EventEnvelope<'countersign.session.opened.v1'>['data']): void {
    if (digestOfJson(data.claims) !== data.digest) {
      this.#findings.add(
        'policy.described',
        whereOf(event),
        `The claims of event index ${event.index} do not have the digest ${data.digest}.`,
      );
      return;
    }
    this.#sessions.set(data.digest, data.claims);
    this.#sessionDigests.set(data.claims.session, data.digest);
  }

  #endSession(session: string): void {
    this.#ended.push(session);
    if (this.#ended.length <= ENDED_SESSIONS) return;
    const oldest = this.#ended.shift() ?? '';
    this.#sessions.delete(this.#sessionDigests.get(oldest) ?? '');
    this.#sessionDigests.delete(oldest);
  }

  #describe(event: SeenEvent, data: EventEnvelope<'countersign.facts.described.v1'>['data']): void {
    if (digestOfJson(data.facts) === data.digest) this.#facts.set(data.digest, data.facts);
    else
      this.#findings.add(
        'policy.described',
        whereOf(event),
        `The facts of event index ${event.index} do not have the digest ${data.digest}.`,
      );
  }

  #decide(event: SeenEvent, { data }: Decided): void {
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
    const session = this.#sessions.get(data.sessionDigest);
    const facts = this.#facts.get(data.factsDigest ?? '');
    if (session === undefined)
      this.#needed(
        'policy.session-absent',
        data.sessionDigest,
        where,
        `No event describes the session ${data.sessionDigest}.`,
      );
    if (facts === undefined)
      this.#needed(
        'policy.facts-absent',
        String(data.factsDigest),
        where,
        `No event describes the facts ${data.factsDigest}.`,
      );
    if (session === undefined || facts === undefined) return;
    const difference = summaryDifference(data, session, facts);
    if (difference !== null)
      this.#findings.add(
        'policy.summary',
        where,
        `Event index ${event.index} says of ${difference} something else than its session and facts.`,
      );
    // A later stage may refuse what policy let pass, and nothing else.
    if (![data.decision.verdict, 'deny', 'defer'].includes(data.verdict))
      this.#findings.add(
        'policy.verdict',
        where,
        `Event index ${event.index} holds as ${data.verdict} what policy decided as ${data.decision.verdict}.`,
      );
    this.#rerun(event, data, data.decision, session, facts);
  }

  #rerun(
    event: SeenEvent,
    data: ActionDecided,
    recorded: Decision,
    session: SessionClaims,
    facts: Facts,
  ): void {
    const where = whereOf(event);
    const input: PolicyInput = { version: 1, time: data.decidedAt, session, facts, approval: data.approval };
    const inputDigest = digestOfJson(input);
    if (inputDigest !== data.inputDigest) {
      this.#findings.add(
        'policy.input',
        where,
        `The decision of event index ${event.index} was recorded for another input than its session, facts, time and approval give.`,
      );
      return;
    }
    const policy = this.#policies.get(data.policyDigest ?? '');
    if (policy === undefined) {
      this.#needed(
        'policy.absent',
        String(data.policyDigest),
        where,
        `The policy ${data.policyDigest} is not in the dossier.`,
      );
      return;
    }
    if (policy.loaded === null) return;
    this.rerun += 1;
    const decided = this.#decisionOf(policy.loaded, input, inputDigest);
    if (decided === canonicalJson(recorded)) return;
    this.#findings.add(
      'policy.decision',
      where,
      `Policy ${data.policyDigest} decides ${decided === null ? 'nothing' : `${verdictOf(decided)}`} on the input of event index ${event.index}; recorded is ${recorded.verdict} by ${recorded.rules.join(', ')}.`,
    );
  }

  /** Canonical JSON of what the policy decides; null where it fails. */
  #decisionOf(policy: LoadedPolicy, input: PolicyInput, inputDigest: string): string | null {
    const name = `${policy.bundleDigest} ${inputDigest}`;
    const known = this.#decisions.get(name);
    if (known !== undefined) return known;
    try {
      const decided = canonicalJson(policy.decide(input));
      if (this.#decisions.size >= KNOWN_DECISIONS) this.#decisions.clear();
      this.#decisions.set(name, decided);
      return decided;
    } catch (error) {
      if (error instanceof CountersignError) return null;
      throw error;
    }
  }

  #needed(code: FindingCode, digest: string, where: Where, what: string): void {
    const name = `${code} ${digest}`;
    const known = this.#absent.get(name);
    if (known === undefined) this.#absent.set(name, { code, where, what, count: 1 });
    else known.count += 1;
  }
}

function is<Type extends EventType>(envelope: EventEnvelope, type: Type): envelope is EventEnvelope<Type> {
  return envelope.type === (type as EventType);
}

function verdictOf(decision: string): string {
  const { verdict, rules } = JSON.parse(decision) as Decision;
  return `${verdict} by ${rules.join(', ')}`;
}
