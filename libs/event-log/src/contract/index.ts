import { afterAll, beforeAll, describe } from '@jest/globals';
import type { EventLog } from '../event-log.js';
import { appendingContract } from './appending.contract.js';
import { faultsContract } from './faults.contract.js';
import { type EventLogFixture, newTopic } from './fixture.js';
import { subscribingContract } from './subscribing.contract.js';

export { appendSurely, type EventLogFixture, newTopic, Reader, record, textOf } from './fixture.js';

/**
 * What every driver of the event log has to keep, written for the weakest guarantees that any of them gives: records may
 * be delivered more than once, order holds within a key only, and a rejected append may have happened.
 */
export function eventLogContract(driver: string, start: () => Promise<EventLogFixture>): void {
  describe(`the ${driver} event log keeps the contract:`, () => {
    let fixture: EventLogFixture | undefined;
    let log: EventLog | undefined;
    const theFixture = (): EventLogFixture => {
      if (fixture === undefined) throw new Error('The fixture was not started.');
      return fixture;
    };
    const theLog = (): EventLog => {
      if (log === undefined) throw new Error('The log was not opened.');
      return log;
    };
    const topics = async (count = 1): Promise<string[]> => {
      const names = Array.from({ length: count }, newTopic);
      await theFixture().createTopics(names);
      return names;
    };
    beforeAll(async () => {
      fixture = await start();
      log = await fixture.open();
    }, 180_000);
    afterAll(async () => {
      await log?.close();
      await fixture?.stop();
    }, 180_000);
    describe('appending', () => appendingContract(theLog, topics));
    describe('subscribing', () => subscribingContract(theLog, () => theFixture().open(), topics));
    describe('faults', () => faultsContract(theFixture, theLog));
  });
}
