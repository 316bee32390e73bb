import type { EventDraft, Producer } from '@countersign/ledger';
import { type CountedReading, type Reading, Tally } from './tally.js';

/** Every reading of evidence is an event of its own, tiles and refusals in tallies. */
export interface Readings {
  /** Resolves once the reading is durably recorded; rejects with recording.unavailable. */
  record(reading: Reading): Promise<void>;
  /** Counts a reading that is told of within a second. */
  count(reading: Reading): void;
  /** Tells of what is counted. */
  close(): Promise<void>;
}

const tallyMilliseconds = 1000;

export function openReadings(producer: Producer, onError: (error: unknown) => void): Readings {
  const tally = new Tally();
  const flush = async (): Promise<void> => {
    const counted = tally.take();
    if (counted.length === 0) return;
    try {
      await producer.append(counted.map(draftOf));
    } catch (error) {
      onError(error);
    }
  };
  const timer = setInterval(() => void flush(), tallyMilliseconds);
  return {
    async record(reading) {
      await producer.append([draftOf({ ...reading, count: 1 })]);
    },
    count(reading) {
      tally.add(reading);
    },
    async close() {
      clearInterval(timer);
      await flush();
    },
  };
}

function draftOf(reading: CountedReading): EventDraft<'countersign.evidence.read.v1'> {
  return { type: 'countersign.evidence.read.v1', origin: 'person', data: reading };
}
