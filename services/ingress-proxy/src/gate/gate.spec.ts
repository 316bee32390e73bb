import { readFileSync } from 'node:fs';
import {
  type ApprovalFact,
  canonicalJson,
  type Decision,
  digestOf,
  type Facts,
  type PolicyInput,
  type Risk,
} from '@countersign/contracts';
import { CountersignError, type ErrorCode, isErrorCode } from '@countersign/errors';
import { describe, expect, it } from '@jest/globals';
import type { RunReport, Statement, Submitted } from './action.js';
import { Gate } from './gate.driver.js';
import type { AnyDraft, Decided, Held, HeldStatus, Inspected, RewriteResult } from './ports.js';
import type { GateSession } from './session.js';

/** One action and what must come of it; what is absent is well. */
interface Case {
  readonly name: string;
  readonly decision?: Decision['verdict'] | 'policy.unavailable';
  readonly obligations?: null;
  readonly risks?: readonly Risk[];
  readonly inspect?: ErrorCode;
  readonly rewrite?: string;
  readonly contexts?: readonly string[];
  readonly recording?: false;
  readonly token?: 'expired' | 'expires while it waits';
  readonly grant?: ErrorCode;
  readonly holds?: readonly string[];
  readonly consume?: ErrorCode;
  readonly second?: Decision['verdict'];
  readonly secondPolicy?: string;
  readonly secondProfile?: string;
  readonly transaction?: 'dirty' | 'clean' | 'refused';
  readonly purpose?: 'prepare';
  readonly run?: 'failed' | 'lost' | 'throws';
  readonly unanalysable?: ErrorCode;
  /** During which step the agent cancels. */
  readonly cancelled?: 'decide' | 'hold';
  /** Of each event: what it is, then verdict and stage or status, then the refusal or `runs`. */
  readonly events: readonly string[];
  readonly notices?: number;
  readonly consumed?: number;
  readonly answer: string;
  readonly ends?: string;
}

const cases = readFileSync(new URL('../../cases/gate.jsonl', import.meta.url), 'utf8')
  .split('\n')
  .filter((line) => line !== '')
  .map((line) => JSON.parse(line) as Case);

const claims = {
  session: '0190-session',
  agent: 'agent-1',
  onBehalfOf: 'person-1',
  delegation: ['agent-1'],
  grant: 'grant-1',
  role: 'analyst',
  target: 'shop',
  protocol: 'postgresql',
} as const;

function factsOf(risks: readonly Risk[]): Facts {
  return {
    version: 1,
    protocol: 'postgresql',
    statements: 1,
    kind: 'SelectStmt',
    transaction: null,
    verbs: ['read'],
    risks,
    objects: [{ name: 'shop.customers', kind: 'table', verbs: ['read'] }],
    unknownObjects: 0,
    labels: [],
    parameters: { count: 0 },
  };
}

const approval: ApprovalFact = { id: 'approval-1', approver: 'person-2', decidedAt: 100, expiresAt: 900 };

const reports: Readonly<Record<'succeeded' | 'failed' | 'lost', RunReport>> = {
  succeeded: { status: 'succeeded', error: null, sqlstate: null, rows: 1, transaction: 'idle', ended: null },
  failed: {
    status: 'failed',
    error: 'target.failed',
    sqlstate: '22012',
    rows: 0,
    transaction: 'idle',
    ended: null,
  },
  lost: {
    status: 'unknown',
    error: 'target.connection_lost',
    sqlstate: null,
    rows: 0,
    transaction: 'lost',
    ended: null,
  },
};

/** Plays a case against the gate, and writes down what happened in which order. */
class Play {
  readonly #case: Case;
  readonly journal: string[] = [];
  readonly events: AnyDraft[] = [];
  readonly inputs: string[] = [];
  readonly agent = new AbortController();
  notices = 0;
  consumed = 0;
  #now = 200_000;
  #contexts: string[];
  #holds: string[];

  constructor(played: Case) {
    this.#case = played;
    this.#contexts = [...(played.contexts ?? [])];
    this.#holds = [...(played.holds ?? [])];
  }

  get session(): GateSession {
    const claimsText = canonicalJson(claims);
    const { transaction, token } = this.#case;
    return {
      claims,
      claimsText,
      digest: digestOf(claimsText),
      tokenExpiresAt: token === 'expired' ? 200 : token === undefined ? 900 : 201,
      origin: 'agent',
      secret: Buffer.alloc(32, 7),
      grant: { checkedIn: 1, expiresAt: 900 },
      nextOrdinal: 4,
      transaction:
        transaction === undefined
          ? null
          : {
              id: 'transaction-1',
              actions: 2,
              dirty: transaction === 'dirty',
              structural: false,
              refused: transaction === 'refused',
            },
    };
  }

  get gate(): Gate {
    const append = async (drafts: readonly AnyDraft[]): Promise<void> => {
      if (this.#case.recording === false) throw new CountersignError('recording.unavailable');
      this.events.push(...drafts);
      this.journal.push(...drafts.map((draft) => draft.type));
    };
    return new Gate(
      {
        masking: {
          inspect: () => this.#inspect(),
          rewrite: () => this.#rewrite(),
          release: () => Promise.reject(new CountersignError('internal')),
        },
        policy: {
          decide: (question) => {
            this.inputs.push(question.input());
            this.#cancelled('decide');
            return this.#decide(question.time, JSON.parse(question.input()) as PolicyInput);
          },
        },
        approval: {
          hold: () => this.#held(0),
          await: () => this.#held(1000),
          consume: async () => {
            this.consumed += 1;
            this.journal.push('consume');
            if (this.#case.consume !== undefined) throw new CountersignError(this.#case.consume);
          },
        },
        grants: {
          check: () => {
            if (this.#case.grant !== undefined) throw new CountersignError(this.#case.grant);
          },
        },
        recorder: { append, appendLazily: append },
        clock: { now: () => this.#now, microseconds: () => this.#now * 1000 },
        structureChanged: () => Promise.resolve(),
        observer: { decided: () => undefined, completed: () => undefined, unrecorded: () => undefined },
      },
      { holdMilliseconds: 3_000, noticeMilliseconds: 1_000 },
    );
  }

  async run(): Promise<RunReport> {
    this.journal.push('run');
    if (this.#case.run === 'throws') throw new Error('broken');
    return reports[this.#case.run ?? 'succeeded'];
  }

  #inspect(): Inspected {
    if (this.#case.inspect !== undefined) throw new CountersignError(this.#case.inspect);
    const facts = factsOf(this.#case.risks ?? []);
    const factsText = canonicalJson(facts);
    return {
      facts,
      factsText,
      factsDigest: digestOf(factsText),
      contextDigest: this.#contexts.shift() ?? 'context',
    };
  }

  #rewrite(): RewriteResult {
    const wanted = this.#case.rewrite ?? '';
    if (isErrorCode(wanted)) return { refusal: new CountersignError(wanted) };
    if (wanted !== '') throw new CountersignError('masking.unavailable');
    const contextDigest = this.#contexts.shift() ?? 'context';
    return { rewritten: { text: 'SELECT masked', releasedColumns: [], masked: true, contextDigest } };
  }

  #decide(time: number, input: PolicyInput): Decided {
    const { decision = 'allow', second = 'allow', obligations } = this.#case;
    if (decision === 'policy.unavailable') throw new CountersignError('policy.unavailable');
    const isSecond = input.approval !== null;
    const verdict = isSecond ? second : decision;
    const profile = isSecond ? (this.#case.secondProfile ?? 'analyst') : 'analyst';
    return {
      time,
      inputDigest: digestOf(canonicalJson(input)),
      policyDigest: isSecond ? (this.#case.secondPolicy ?? 'sha256:policy') : 'sha256:policy',
      decision: {
        verdict,
        rules: ['some.rule'],
        reason: 'Because.',
        obligations:
          obligations === null || verdict === 'deny' || verdict === 'defer'
            ? null
            : { profile, lookups: [], rowLimit: null, timeLimitSeconds: null },
      },
    };
  }

  #cancelled(step: Case['cancelled']): void {
    if (this.#case.cancelled === step) this.agent.abort(new CountersignError('rpc.cancelled'));
  }

  async #held(milliseconds: number): Promise<Held> {
    this.#now += milliseconds;
    this.#cancelled('hold');
    if (this.#case.token === 'expires while it waits') this.#now = 201_000;
    const status = this.#holds.shift() ?? 'pending';
    if (isErrorCode(status)) throw new CountersignError(status);
    return { status: status as HeldStatus, approval };
  }
}

function wordsOf(draft: AnyDraft): readonly string[] {
  if (draft.type === 'countersign.action.decided.v1') {
    const { verdict, stage, refusal, running } = draft.data;
    const last = refusal ?? (running === null ? null : 'runs');
    return [['decided', verdict, stage, ...(last === null ? [] : [last])].join(' ')];
  }
  if (draft.type === 'countersign.action.completed.v1') {
    const { status, error } = draft.data;
    return [['completed', status, ...(error === null ? [] : [error])].join(' ')];
  }
  return [];
}

const statement: Statement = {
  kind: 'statement',
  text: 'SELECT 1',
  parameterTypes: [],
  parameters: [],
  purpose: 'run',
};

async function played(
  one: Case,
): Promise<{ readonly play: Play; readonly answer: Awaited<ReturnType<Gate['submit']>> }> {
  const play = new Play(one);
  const submitted: Submitted =
    one.unanalysable === undefined
      ? { ...statement, purpose: one.purpose ?? 'run' }
      : { kind: 'unanalysable', code: one.unanalysable, bytes: Buffer.from('x') };
  const answer = await play.gate.submit(play.session, submitted, {
    signal: play.agent.signal,
    waiting: () => {
      play.notices += 1;
    },
    run: () => play.run(),
  });
  return { play, answer };
}

describe('the way of one action', () => {
  it.each(cases)('$name', async (one) => {
    const { play, answer } = await played(one);
    expect(play.events.flatMap(wordsOf)).toEqual(one.events);
    expect(answer.kind === 'ran' ? 'ran' : answer.error.code).toBe(one.answer);
    expect(answer.kind === 'refused' ? answer.ends : null).toBe(one.ends ?? null);
    expect([play.notices, play.consumed]).toEqual([one.notices ?? 0, one.consumed ?? 0]);
  });

  it.each(cases)('$name: nothing happens before it is recorded', async (one) => {
    const { play } = await played(one);
    const steps = play.journal.filter((step) => !step.includes('facts.described'));
    for (const [index, step] of steps.entries()) {
      if (step === 'consume') expect(steps[index - 1]).toBe('countersign.action.decided.v1');
      if (step === 'run') expect(steps[index - 1]).toMatch(/action\.decided|consume/);
    }
  });

  it.each(cases)('$name: every decision can be recomputed from what was recorded', async (one) => {
    const { play } = await played(one);
    for (const draft of play.events) {
      if (draft.type !== 'countersign.action.decided.v1' || draft.data.decision === null) continue;
      const described = play.events.find((event) => event.type === 'countersign.facts.described.v1');
      if (described?.type !== 'countersign.facts.described.v1') throw new Error('facts were not described');
      const input: PolicyInput = {
        version: 1,
        time: draft.data.decidedAt,
        session: claims,
        facts: described.data.facts,
        approval: draft.data.approval,
      };
      expect(draft.data.factsDigest).toBe(described.data.digest);
      expect(draft.data.inputDigest).toBe(digestOf(canonicalJson(input)));
      expect(play.inputs).toContain(canonicalJson(input));
    }
  });

  it('describes the same facts once, and waits for those that somebody else describes', async () => {
    const play = new Play({ name: '', events: [], answer: 'ran' });
    const gate = play.gate;
    const port = { signal: new AbortController().signal, waiting: () => undefined, run: () => play.run() };
    await Promise.all(Array.from({ length: 5 }, () => gate.submit(play.session, statement, port)));
    const types = play.events.map((event) => event.type);
    expect(types.filter((type) => type === 'countersign.facts.described.v1')).toHaveLength(1);
    expect(types.indexOf('countersign.facts.described.v1')).toBeLessThan(
      types.indexOf('countersign.action.decided.v1'),
    );
  });
});
