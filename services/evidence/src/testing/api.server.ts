import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { digestOf } from '@countersign/contracts';
import type { EvidenceRecord } from '@countersign/controls';
import type { Producer } from '@countersign/ledger';
import { waitUntil } from '@countersign/testing';
import { type Deployment, startDeployment } from './deployment.store.js';
import { sessionDrafts } from './drafts.fixture.js';
import { type Issuer, startIssuer } from './issuer.server.js';
import { startService } from './service.server.js';

const policyDigest = `sha256:${'b'.repeat(64)}`;

export interface Page {
  readonly records: readonly EvidenceRecord[];
  readonly next: string | null;
}

/** The running service, with a policy activated and 120 masked reads of one session taken in. */
export interface Api {
  readonly url: string;
  readonly deployment: Deployment;
  readonly issuer: Issuer;
  readonly ingress: Producer;
  /** Token of an auditor. */
  readonly auditor: string;
  /** Asks with the auditor's token, or another, or none. */
  ask(path: string, token?: string | null): Promise<Response>;
  /** The answer to a question that is answered; throws otherwise. */
  get<Answer>(path: string): Promise<Answer>;
  /** Follows cursors to the end. */
  everyPage(path: string): Promise<readonly EvidenceRecord[]>;
  stop(): Promise<void>;
}

export async function startApi(): Promise<Api> {
  const [deployment, issuer] = await Promise.all([startDeployment(), startIssuer()]);
  const database = await deployment.freshDatabase();
  const bundle = Buffer.from('a compiled bundle, as far as evidence knows');
  const policies = join(deployment.folder, 'policies');
  await mkdir(policies);
  await writeFile(join(policies, 'bundle.tar.gz'), bundle);
  await writeFile(join(policies, 'never-activated.tar.gz'), 'another');
  const { url, service } = await startService(deployment, issuer, database.url, { policies: [policies] });
  const auditor = await issuer.token();
  const ingress = await deployment.producer('ingress-proxy');
  const policy = await deployment.producer('policy');
  await policy.append([
    {
      type: 'countersign.policy.activated.v1',
      data: { policyDigest, bundleDigest: digestOf(bundle), previous: null },
    },
  ]);
  await ingress.append(sessionDrafts('session-1', 120));

  const ask: Api['ask'] = (path, token = auditor) =>
    fetch(`${url}${path}`, { headers: token === null ? {} : { authorization: `Bearer ${token}` } });
  const get = async <Answer>(path: string): Promise<Answer> => {
    const response = await ask(path);
    const body: unknown = await response.json();
    if (response.status !== 200) throw new Error(`${response.status} ${JSON.stringify(body)}`);
    return body as Answer;
  };
  await waitUntil(
    async () => (await get<{ kinds: { outcome?: number } }>('/v1/statistics')).kinds.outcome === 120,
  );
  return {
    url,
    deployment,
    issuer,
    ingress,
    auditor,
    ask,
    get,
    async everyPage(path) {
      const records: EvidenceRecord[] = [];
      for (let cursor: string | null = ''; cursor !== null; ) {
        const page: Page = await get(
          `${path}${cursor === '' ? '' : `&cursor=${encodeURIComponent(cursor)}`}`,
        );
        records.push(...page.records);
        cursor = page.next;
      }
      return records;
    },
    async stop() {
      await service.stop();
      await issuer.close();
      await deployment.stop();
    },
  };
}
