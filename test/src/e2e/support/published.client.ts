import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { EvidenceRecord } from '@countersign/controls';
import { serviceNames } from '@countersign/deploy';
import { publishedEvents } from './events.client.js';
import type { Installation } from './installation.driver.js';
import type { Haystack } from './needles.js';

interface Page {
  readonly records: readonly EvidenceRecord[];
  readonly next: string | null;
}

/** Address of a service's HTTP door, as its log tells it. */
export async function httpAddressOf({ deployment }: Installation, service: string): Promise<string> {
  const lines = (await readFile(join(deployment.logs, `${service}.log`), 'utf8')).split('\n');
  const ready = lines.findLast((line) => line.includes('"event":"ready"'));
  if (ready === undefined) throw new Error(`${service} was never ready.`);
  return (JSON.parse(ready) as { addresses: { http: string } }).addresses.http;
}

async function filesIn(folder: string, name: string, matching = /./): Promise<readonly Haystack[]> {
  const files = (await readdir(folder)).filter((file) => matching.test(file));
  return Promise.all(
    files.map(async (file) => ({ name: `${name}: ${file}`, bytes: await readFile(join(folder, file)) })),
  );
}

/** All events, those of one type together, so that what is found names the type. */
async function events({ deployment }: Installation): Promise<readonly Haystack[]> {
  const published = await publishedEvents(deployment);
  const byType = Object.groupBy(published, ({ event }) => event.type);
  return Object.entries(byType).map(([type, ofType]) => ({
    name: `event ${type}`,
    bytes: Buffer.concat(
      ofType.flatMap(({ record }) => [Buffer.from(record.key), Buffer.from(record.value)]),
    ),
  }));
}

async function metrics(installation: Installation): Promise<readonly Haystack[]> {
  return Promise.all(
    serviceNames.map(async (service) => {
      const response = await fetch(new URL('/metrics', await httpAddressOf(installation, service)));
      if (!response.ok) throw new Error(`${service} answers ${response.status} to /metrics.`);
      return { name: `metrics: ${service}`, bytes: Buffer.from(await response.arrayBuffer()) };
    }),
  );
}

async function answers({ evidence }: Installation): Promise<readonly Haystack[]> {
  const answer = async (path: string): Promise<Haystack> => ({
    name: `evidence: ${path.replaceAll(/cursor=[^&]*/g, 'cursor')}`,
    bytes: Buffer.from(await (await evidence.fetch(path)).arrayBuffer()),
  });
  const found: Haystack[] = [];
  for (const path of ['/v1/records?limit=500', '/v1/findings?limit=500']) {
    for (let cursor: string | null = ''; cursor !== null; ) {
      const page = await answer(cursor === '' ? path : `${path}&cursor=${encodeURIComponent(cursor)}`);
      found.push(page);
      cursor = (JSON.parse(page.bytes.toString('utf8')) as Page).next;
    }
  }
  const [newest] = await evidence.records({ order: 'newest', limit: '1' });
  const others = ['/v1/statistics', '/v1/controls', '/checkpoint', '/tile/0/000', '/tile/entries/000'];
  for (const path of [...others, '/v1/dossier', ...(newest ? [`/v1/records/${newest.id}`] : [])]) {
    found.push(await answer(path));
  }
  return found;
}

/** The logs of the services, so far. */
export async function serviceLogs({ deployment }: Installation): Promise<readonly Haystack[]> {
  return filesIn(deployment.logs, 'log');
}

/**
 * Everything that an installation says to others or keeps to show: events, logs, metrics, what evidence answers, the
 * dossier, and the sealed recordings. The target's own log is not among it: it is the target's.
 */
export async function everythingSaid(installation: Installation): Promise<readonly Haystack[]> {
  const { data } = installation;
  return [
    ...(await events(installation)),
    ...(await answers(installation)),
    ...(await metrics(installation)),
    // Last, so that they also hold what was logged of the above.
    ...(await serviceLogs(installation)),
    ...(await filesIn(join(data, 'store.server'), 'log of the store', /\.(log|json)$/)),
    ...(await filesIn(join(data, 'recordings'), 'recordings')),
  ];
}
