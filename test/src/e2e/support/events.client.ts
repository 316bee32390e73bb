import { type EventEnvelope, type EventType, topics } from '@countersign/contracts';
import type { Deployment } from '@countersign/deploy';
import { openEventLog, type StoredRecord } from '@countersign/event-log';
import { parseEnvelope } from '@countersign/ledger';
import { producers } from './installation.driver.js';

export type AnyEvent = { [Type in EventType]: EventEnvelope<Type> }[EventType];

/** A published event: what it says, and its exact bytes. */
export interface PublishedEvent {
  readonly event: AnyEvent;
  readonly record: StoredRecord;
}

/** Everything that was published before this call; a repeated record once. */
export async function publishedEvents(deployment: Deployment): Promise<readonly PublishedEvent[]> {
  const log = await openEventLog(deployment.eventLog.url('evidence'));
  try {
    const waiting = new Map<string, StoredRecord>();
    for (const { service, key } of producers) {
      const head = await log.head(topics[service], key);
      if (head !== null) waiting.set(key, head);
    }
    const found = new Map<string, PublishedEvent>();
    const caughtUp = new AbortController();
    if (waiting.size === 0) return [];
    await log.subscribe({
      topics: Object.values(topics),
      from: new Map(),
      signal: caughtUp.signal,
      async onBatch(records) {
        for (const record of records) {
          const event = parseEnvelope(record.value) as AnyEvent;
          found.set(event.id, { event, record });
          if (waiting.get(record.key)?.position === record.position) waiting.delete(record.key);
        }
        if (waiting.size === 0) caughtUp.abort();
      },
    });
    return [...found.values()];
  } finally {
    await log.close();
  }
}

/** What events of one type carry, in the order of their topics. */
export function dataOf<Type extends EventType>(
  published: readonly PublishedEvent[],
  type: Type,
): readonly EventEnvelope<Type>['data'][] {
  return published
    .map(({ event }) => event)
    .filter((event): event is EventEnvelope<Type> & AnyEvent => event.type === type)
    .map((event) => event.data);
}
