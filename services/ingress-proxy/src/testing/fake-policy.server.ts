import { canonicalJson, type Decision, digestOf, type PolicyInput, policyRpc } from '@countersign/contracts';
import { implement, type ServiceRegistration } from '@countersign/rpc';
import { Broadcast } from './broadcast.js';

/** A policy of a few lines that reaches all five verdicts. */
export class FakePolicy {
  calls = 0;
  digest = digestOf('policy 1');
  readonly watchers = new Broadcast<policyRpc.WatchResponse>();

  get registration(): ServiceRegistration {
    return implement(policyRpc.PolicyServiceService, {
      decide: ({ input }) => {
        this.calls += 1;
        const decision = decide(JSON.parse(input.toString()) as PolicyInput);
        return {
          decision: Buffer.from(canonicalJson(decision)),
          inputDigest: digestOf(input),
          policyDigest: this.digest,
        };
      },
      watch: (_request, { signal }) => this.watchers.subscribe([{ policyDigest: this.digest }], signal),
    });
  }

  activate(name: string): void {
    this.digest = digestOf(name);
    this.watchers.send({ policyDigest: this.digest });
  }
}

function decide({ facts, approval, session }: PolicyInput): Decision {
  const obligations = {
    profile: facts.labels.length > 0 ? 'analyst' : 'none',
    lookups: [],
    rowLimit: session.role === 'limited' ? 3 : null,
    timeLimitSeconds: session.role === 'timed' ? 0.3 : null,
  };
  const because = (verdict: Decision['verdict'], rule: string, reason: string): Decision => ({
    verdict,
    rules: [rule],
    reason,
    obligations: verdict === 'deny' || verdict === 'defer' ? null : obligations,
  });
  if (facts.unknownObjects > 0) return because('deny', 'deny.unknown-object', 'It is not declared.');
  if (facts.risks.includes('unparsable')) return because('deny', 'deny.unparsable', 'It cannot be parsed.');
  if (facts.risks.includes('ddl') && session.role !== 'builder') {
    return because('deny', 'deny.ddl', 'The structure may not be changed.');
  }
  if (facts.verbs.includes('truncate')) return because('defer', 'defer.freeze', 'The target is frozen.');
  if (facts.risks.includes('unbounded-write') && approval === null) {
    return because('step_up', 'step-up.unbounded-write', 'All rows are removed.');
  }
  if (facts.labels.length > 0) return because('modify', 'role.masked', 'Read masked.');
  return because('allow', 'role.read', 'Allowed.');
}
