import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CountersignError } from '@countersign/errors';

/** Where an installation keeps its events: in its store, in a broker of its own, or in a cluster that is there already. */
export type EventLogKind = 'postgres' | 'kafka' | 'cluster';

const sentences: Readonly<Record<EventLogKind, { readonly kept: string; readonly start: string }>> = {
  postgres: { kept: 'in PostgreSQL', start: 'without --kafka and EVENT_LOG_URL' },
  kafka: { kept: 'in its own Kafka broker', start: 'with --kafka' },
  cluster: { kept: 'in another Kafka cluster', start: 'with the EVENT_LOG_URL of before' },
};

const isKind = (text: string): text is EventLogKind => Object.hasOwn(sentences, text);

const fileIn = (folder: string): string => join(folder, 'event-log');

/**
 * Keeps a data folder to the event log that it began with: evidence would otherwise miss what it has read, and each
 * service the head of its chain. Errors: `config.invalid`.
 */
export async function demandKind(folder: string, kind: EventLogKind): Promise<void> {
  const before = (await readFile(fileIn(folder), 'utf8').catch(() => '')).trim();
  if (!isKind(before) || before === kind) return;
  throw new CountersignError('config.invalid', {
    detail: `The folder ${folder} keeps its events ${sentences[before].kept}.`,
    next: `Start it ${sentences[before].start}, or name another folder with --data.`,
  });
}

/** Notes the event log of a data folder, once it is there. */
export async function noteKind(folder: string, kind: EventLogKind): Promise<void> {
  await writeFile(fileIn(folder), `${kind}\n`, { mode: 0o600 });
}
