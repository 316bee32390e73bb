import { setTimeout as delay } from 'node:timers/promises';
import type { DeployedService } from '@countersign/deploy';
import { waitUntil } from '@countersign/testing';
import { verifyDossier } from '@countersign/verifier';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import {
  Clerk,
  connectAs,
  dataOf,
  type Ending,
  endingOf,
  findingsOf,
  type Installation,
  patienceMilliseconds,
  publishedEvents,
  type Reconciliation,
  Recordings,
  readings,
  reconciled,
  startInstallation,
  Traffic,
} from './support/index.js';

/** What the traffic brings upon itself while nothing is broken. */
const ordinary = ['masking.opaque_predicate', 'policy.denied', 'target.failed'];
/** Statements that every agent is answered with rows after a fault before it counts as over. */
const afterRecovery = 25;

interface Fault {
  readonly name: string;
  readonly strike: () => Promise<unknown>;
  /** What some agent surely hears of it. */
  readonly heard: readonly string[];
  /** What an agent may hear besides. */
  readonly mayHear?: readonly string[];
  /** Whether connections break without a word, and decided actions stay without an outcome. */
  readonly breaks?: boolean;
  /** Connections of agents end, between statements too. */
  readonly endsSessions?: boolean;
}

let installation: Installation;
let recordings: Recordings;
let agents: readonly Traffic[] = [];
const clerk = new Clerk();

beforeAll(async () => {
  installation = await startInstallation();
  recordings = new Recordings(installation);
  const { deployment } = installation;
  agents = [
    new Traffic(deployment, 'analyst', readings),
    new Traffic(deployment, 'analyst', readings),
    new Traffic(deployment, 'operator', clerk.writings),
  ];
}, 60_000);

afterAll(async () => {
  await Promise.all(agents.map((agent) => agent.stop()));
  await installation?.stop();
}, 60_000);

function supervised(service: DeployedService) {
  const found = installation.deployment.services.get(service);
  if (found === undefined) throw new Error(`There is no ${service}.`);
  return found;
}

const killed = (service: DeployedService) => async (): Promise<void> => {
  const before = supervised(service).pid;
  supervised(service).signal('SIGKILL');
  // Nobody but its supervisor starts it again.
  await waitUntil(() => supervised(service).pid !== before, { what: `${service} to be started again` });
};

const frozen = (service: DeployedService, milliseconds: number) => async (): Promise<void> => {
  supervised(service).signal('SIGSTOP');
  await delay(milliseconds);
  supervised(service).signal('SIGCONT');
};

const crashed = (name: 'store' | 'target', milliseconds: number) => async (): Promise<void> => {
  const { instance } = installation.deployment[name];
  await instance.kill();
  await delay(milliseconds);
  await instance.restart();
};

const inTransaction = 'statement.transaction_failed';

const faults: readonly Fault[] = [
  { name: 'policy is killed', strike: killed('policy'), heard: ['policy.unavailable'] },
  { name: 'policy stands still', strike: frozen('policy', 8_000), heard: ['policy.unavailable'] },
  { name: 'masking is killed', strike: killed('masking'), heard: ['masking.unavailable'] },
  { name: 'approval is killed', strike: killed('approval'), heard: ['approval.unavailable'] },
  { name: 'evidence is killed', strike: killed('evidence'), heard: [] },
  {
    // Longer than a decision waits to be recorded.
    name: 'the store is killed',
    strike: crashed('store', 6_000),
    heard: ['recording.unavailable'],
    // Approval keeps its state there too: while its stream of ended grants is broken, each action asks for its grant.
    mayHear: ['approval.unavailable'],
  },
  {
    name: 'the target is killed',
    strike: crashed('target', 1_500),
    heard: ['target.connection_lost', 'target.unavailable'],
    // A session whose target dies between two statements is ended with a word that no statement waits for.
    endsSessions: true,
  },
  { name: 'the ingress is killed', strike: killed('ingress-proxy'), heard: [], breaks: true },
];

/** Once nothing is under way: what ran against what was decided. Waits for outcomes that are on their way. */
async function settled(): Promise<Reconciliation> {
  await Promise.all(agents.map((agent) => agent.pause()));
  const look = async (): Promise<Reconciliation> =>
    reconciled(installation, recordings, await publishedEvents(installation.deployment));
  let result = await look();
  for (let tries = 0; tries < 20 && result.open.length > 0; tries += 1) {
    await delay(100);
    result = await look();
  }
  return result;
}

function resume(): void {
  for (const agent of agents) agent.resume();
}

describe.each(faults)(
  'while statements flow, $name',
  ({ strike, heard, mayHear = [], breaks = false, endsSessions = false }) => {
    let endings: readonly Ending[] = [];
    let result: Reconciliation;

    beforeAll(async () => {
      resume();
      const marks = agents.map(({ endings: { length } }) => length);
      await delay(200);
      await strike();
      const served = agents.map((agent) => agent.served);
      await waitUntil(
        () => agents.every((agent, index) => agent.served >= (served[index] ?? 0) + afterRecovery),
        { timeout: 30_000, what: 'agents to be served again' },
      );
      result = await settled();
      endings = agents.flatMap((agent, index) => agent.endings.slice(marks[index]));
    }, 60_000);

    it('everything ends in bounded time, in rows or in an error of the catalogue', () => {
      const allowed = breaks || endsSessions ? ['rows', 'refused', 'lost'] : ['rows', 'refused'];
      expect(endings.filter(({ kind }) => !allowed.includes(kind))).toEqual([]);
      expect(Math.max(...endings.map(({ milliseconds }) => milliseconds))).toBeLessThan(patienceMilliseconds);
    });

    it('agents hear what is missing, and nothing else', () => {
      const codes = new Set(endings.filter(({ kind }) => kind === 'refused').map(({ code }) => code));
      expect([...codes]).toEqual(expect.arrayContaining([...heard]));
      const known = [...ordinary, inTransaction, ...heard, ...mayHear];
      expect(endings.filter(({ kind, code }) => kind === 'refused' && !known.includes(code))).toEqual([]);
    });

    it('nothing has run unrecorded', () => {
      expect(result.unrecorded).toEqual([]);
      expect(result.unseen).toEqual([]);
      expect(result.matched).toBeGreaterThan(0);
      if (!breaks) expect(result.open).toEqual([]);
    });
  },
);

describe('an ingress that is killed between decision and outcome', () => {
  it('leaves a decided action without an outcome, and evidence says so', async () => {
    const { deployment, evidence } = installation;
    const owner = new pg.Client({ connectionString: deployment.target.instance.url('clinic') });
    await owner.connect();
    const client = await connectAs(deployment, 'analyst');
    const slow =
      'SELECT count(*) FROM clinic.appointments AS a, clinic.appointments AS b, clinic.invoices AS c WHERE a.id + b.id < c.id';
    try {
      const running = endingOf('a slow join', client.query(slow));
      const session = await waitUntil(async () => {
        const { rows } = await owner.query<{ name: string }>(
          "SELECT application_name AS name FROM pg_stat_activity WHERE state = 'active' AND query LIKE '%AS a, clinic%' AND application_name LIKE 'countersign/%'",
        );
        return rows[0]?.name.replace('countersign/', '');
      });
      await killed('ingress-proxy')();
      expect(await running).toMatchObject({ kind: 'lost' });
      const events = await publishedEvents(deployment);
      const decided = dataOf(events, 'countersign.action.decided.v1').filter(
        (data) => data.session === session,
      );
      expect(decided).toMatchObject([{ verdict: 'allow', refusal: null }]);
      const [action] = decided.map((data) => data.action);
      const { open } = await reconciled(installation, recordings, events);
      expect(open).toContainEqual(
        expect.objectContaining({ decision: expect.objectContaining({ action }), seen: true }),
      );
      // The next epoch says that the one before has forgotten what was open.
      const finding = await waitUntil(
        async () =>
          (await findingsOf(evidence, 'no-outcome')).find(({ data }) => data.action === action) ?? null,
        { timeout: 20_000, what: 'the finding' },
      );
      expect(finding).toMatchObject({ kind: 'finding', agent: 'agent:a-analyst' });
    } finally {
      await owner.end();
      await client.end().catch(() => undefined);
    }
  }, 60_000);
});

describe('after all faults', () => {
  let result: Reconciliation;

  beforeAll(async () => {
    result = await settled();
  }, 30_000);

  it('the target holds what was answered as done, once, and nothing that was refused', async () => {
    const counts = await clerk.counted(installation.deployment.target.instance.url('clinic'));
    const wrong = [...clerk.written].filter(([batch, fate]) => {
      const count = counts.get(batch) ?? 0;
      return fate === 'unknown' ? count > 1 : count !== (fate === 'done' ? 1 : 0);
    });
    expect(wrong).toEqual([]);
    expect([...clerk.written.values()]).toEqual(expect.arrayContaining(['done', 'refused']));
  });

  it('what is without an outcome was open when the ingress died, and evidence names each', async () => {
    const { evidence } = installation;
    const actions = result.open.map(({ decision }) => decision.action).sort();
    const named = await waitUntil(async () => {
      const found = await findingsOf(evidence, 'no-outcome');
      return found.length >= actions.length ? found.map(({ data }) => data.action).sort() : null;
    });
    expect(named).toEqual(actions);
  });

  it('evidence finds nothing wrong besides', async () => {
    const found = await findingsOf(installation.evidence);
    expect(found.filter(({ data }) => data.finding !== 'no-outcome')).toEqual([]);
  });

  it('the count of what could not be recorded is an event', async () => {
    const events = await publishedEvents(installation.deployment);
    const resumed = dataOf(events, 'countersign.recording.resumed.v1');
    const counted = resumed.reduce((sum, { refusals }) => sum + refusals, 0);
    const heard = agents.flatMap(({ endings }) =>
      endings.filter(({ code }) => code === 'recording.unavailable'),
    );
    // What was on its way when the log went is not counted but recorded, too late to be acted upon: one an agent.
    expect(counted).toBeGreaterThanOrEqual(heard.length - agents.length);
    expect(heard.length).toBeGreaterThan(agents.length);
  });

  it('the dossier is authentic', async () => {
    const { deployment, evidence } = installation;
    const text = await (await evidence.fetch('/v1/dossier')).text();
    async function* lines(): AsyncGenerator<string> {
      yield* text.trimEnd().split('\n');
    }
    const report = await verifyDossier(lines(), { trust: deployment.fingerprints });
    expect(report).toMatchObject({ verdict: 'authentic' });
  }, 60_000);
});
