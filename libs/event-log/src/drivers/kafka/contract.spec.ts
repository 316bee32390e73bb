import { startKafka, whyNoKafka } from '@countersign/testing';
import { describe, it } from '@jest/globals';
import { eventLogContract } from '../../contract/index.js';
import { openKafkaEventLog } from './index.js';

const missing = await whyNoKafka();

if (missing === null) {
  eventLogContract('Kafka', async () => {
    const kafka = await startKafka();
    return {
      open: () => openKafkaEventLog(kafka.url()),
      // Topics are made by the driver itself.
      createTopics: async () => undefined,
      kill: kafka.kill,
      restart: kafka.restart,
      stop: kafka.stop,
    };
  });
} else {
  describe.skip('the Kafka event log keeps the contract', () => {
    it(missing, () => undefined);
  });
}
