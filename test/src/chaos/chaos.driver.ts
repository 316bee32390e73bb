import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { apiName, targetName } from '@countersign/deploy';
import { waitUntil } from '@countersign/testing';
import { readDossier, splitLines, verifyDossier } from '@countersign/verifier';
import {
  Clerk,
  findingsOf,
  type Installation,
  publishedEvents,
  Recordings,
  readings,
  reconciled,
  startInstallation,
  Traffic,
} from '../e2e/support/index.js';
import { type Fault, faultsOf } from './faults.js';
import { judge } from './judge.js';
import { judgeRequests, type SeenRequest } from './judge-requests.js';
import { Links } from './links.driver.js';
import { conversationOf, openActions, recordedActions } from './records.js';
import { Requests } from './requests.driver.js';
import { Everything } from './victims.driver.js';

export interface ChaosOptions {
  readonly seed: number;
  readonly faults: number;
  /** Hears of each fault when it is over. */
  onFault?(fault: Fault, number: number): void;
}

export interface ChaosResult {
  readonly faults: readonly Fault[];
  /** Statements that agents were answered, and those of the target's log that a decision covers. */
  readonly answered: number;
  readonly matched: number;
  readonly leaves: number;
  /** A sentence for each thing that is wrong; empty is good. */
  readonly wrong: readonly string[];
}

/** Statements that every agent is answered with rows after the last fault before it counts as over. */
const afterRecovery = 25;
const recoveryMilliseconds = 60_000;
const outcomeMilliseconds = 20_000;

interface Agents {
  readonly statements: readonly Traffic[];
  readonly requests: readonly Requests[];
  readonly clerk: Clerk;
}

async function servedAgain(agents: readonly { readonly served: number }[]): Promise<void> {
  const served = agents.map((agent) => agent.served);
  await waitUntil(
    () => agents.every((agent, index) => agent.served >= (served[index] ?? 0) + afterRecovery),
    {
      timeout: recoveryMilliseconds,
      what: 'agents to be served again',
    },
  );
}

/** What is wrong with the evidence: whether it holds each published event once, and proves it. */
async function wrongEvidence(
  { deployment, evidence }: Installation,
  published: ReadonlySet<string>,
): Promise<{ readonly wrong: readonly string[]; readonly leaves: number }> {
  const lines = async function* (): AsyncGenerator<Uint8Array> {
    const { body } = await evidence.fetch('/v1/dossier');
    if (body !== null) yield* body as unknown as AsyncIterable<Uint8Array>;
  };
  const report = await verifyDossier(splitLines(lines()), { trust: deployment.fingerprints });
  const wrong = report.verdict === 'authentic' ? [] : [`The dossier is ${report.verdict}.`];
  const times = new Map<string, number>();
  for await (const { line } of readDossier(splitLines(lines()))) {
    if (line.kind !== 'event') continue;
    const { id } = JSON.parse(line.value) as { id: string };
    times.set(id, (times.get(id) ?? 0) + 1);
  }
  for (const [id, count] of times) if (count > 1) wrong.push(`Event ${id} has ${count} leaves.`);
  for (const id of published) if (!times.has(id)) wrong.push(`Event ${id} has no leaf.`);
  return { wrong, leaves: times.size };
}

/** What is wrong with rows that the agents wrote: each was to be there as often as they were told. */
async function wrongRows({ deployment }: Installation, clerk: Clerk): Promise<readonly string[]> {
  const counts = await clerk.counted(deployment.target.instance.url('clinic'));
  return [...clerk.written].flatMap(([batch, fate]) => {
    const count = counts.get(batch) ?? 0;
    const right = fate === 'unknown' ? count <= 1 : count === (fate === 'done' ? 1 : 0);
    return right ? [] : [`Row ${batch} is ${count} times there, and was ${fate}.`];
  });
}

/** What the HTTP target saw, in its own words. */
async function seenRequests({ deployment }: Installation): Promise<readonly SeenRequest[]> {
  const lines = (await readFile(join(deployment.logs, `${apiName}.log`), 'utf8')).split('\n');
  return lines
    .filter((line) => line.includes('"event":"request"'))
    .map((line) => JSON.parse(line) as SeenRequest);
}

async function verdict(
  installation: Installation,
  { statements, requests, clerk }: Agents,
): Promise<Omit<ChaosResult, 'faults'>> {
  const recordings = new Recordings(installation);
  await Promise.all([...statements, ...requests].map((agent) => agent.pause()));
  const look = async () => {
    const published = await publishedEvents(installation.deployment);
    return { published, joined: await reconciled(installation, recordings, published) };
  };
  let { published, joined } = await look();
  // Outcomes may be on their way; those of an ingress that was killed never come.
  for (const end = Date.now() + outcomeMilliseconds; Date.now() < end; ) {
    const open = openActions(published).length;
    if (open === 0 || (await findingsOf(installation.evidence, 'no-outcome')).length >= open) break;
    await delay(200);
    ({ published, joined } = await look());
  }
  const open = openActions(published);
  const findings = await findingsOf(installation.evidence);
  const explained = new Set(
    findings.filter(({ data }) => data.finding === 'no-outcome').map(({ data }) => String(data.action)),
  );
  const requested = requests.flatMap((agent) => agent.requested);
  const conversations = statements.flatMap((agent) => agent.conversations.map(conversationOf));
  await recordings.open(conversations.map(({ session }) => session));
  const ids = new Set(published.map(({ event }) => event.id));
  await waitUntil(
    async () =>
      (await installation.evidence.get<{ treeSize: number }>('/v1/statistics')).treeSize >= ids.size,
    {
      timeout: outcomeMilliseconds,
      what: 'evidence to take in what was published',
    },
  );
  const evidence = await wrongEvidence(installation, ids);
  return {
    answered: conversations.reduce((sum, { asked }) => sum + asked.length, requested.length),
    matched: joined.matched,
    leaves: evidence.leaves,
    wrong: [
      ...joined.unrecorded.map(({ session, text }) => `Ran unrecorded in ${session}: ${text}`),
      ...joined.unseen.map(({ action }) => `Recorded as answered, and never seen by the target: ${action}.`),
      ...open
        .filter((action) => !explained.has(action))
        .map((action) => `No finding of the missing outcome of ${action}.`),
      ...[...explained]
        .filter((action) => !open.includes(action))
        .map((action) => `A finding of a missing outcome of ${action}, which is there.`),
      ...findings
        .filter(({ data }) => data.finding !== 'no-outcome')
        .map(({ summary }) => `Evidence finds: ${summary}`),
      ...judge(conversations, recordedActions(published, targetName), recordings.committed),
      ...judgeRequests(requested, await seenRequests(installation), recordedActions(published, apiName)),
      ...(await wrongRows(installation, clerk)),
      ...evidence.wrong,
    ],
  };
}

/** One installation under seeded faults while agents work, and what is wrong afterwards. */
export async function chaos({ seed, faults: count, onFault }: ChaosOptions): Promise<ChaosResult> {
  const links = new Links();
  const installation = await startInstallation(links.adjust);
  const clerk = new Clerk();
  const { deployment } = installation;
  const statements = [
    new Traffic(deployment, 'analyst', readings),
    new Traffic(deployment, 'analyst', readings),
    new Traffic(deployment, 'operator', clerk.writings),
  ];
  const requests = [new Requests(deployment, 'analyst'), new Requests(deployment, 'analyst')];
  const agents = [...statements, ...requests];
  try {
    const everything = new Everything(installation, links);
    const faults = faultsOf(seed, count, everything);
    for (const [index, fault] of faults.entries()) {
      await everything.strike(fault);
      onFault?.(fault, index + 1);
    }
    await servedAgain(agents);
    return { faults, ...(await verdict(installation, { statements, requests, clerk })) };
  } finally {
    await Promise.all(agents.map((agent) => agent.stop()));
    await installation.stop();
    await links.close();
  }
}
