import { CountersignError } from '@countersign/errors';
import kafkajs, { type Admin } from 'kafkajs';
import { checkTopic } from '../../limits.js';
import { administer } from './connection.driver.js';
import { explained, isProtocolError } from './errors.js';
import { CHECKED_SETTINGS, demandSettings, newTopic, type TopicDescription } from './topic-settings.js';
import type { KafkaAddress } from './url.js';

async function exists(admin: Admin, topic: string): Promise<TopicDescription['partitions'] | null> {
  try {
    const { topics } = await admin.fetchTopicMetadata({ topics: [topic] });
    return (topics[0]?.partitions ?? []).map(({ replicas, isr }) => ({
      replicas: replicas.length,
      inSync: isr.length,
    }));
  } catch (error) {
    if (isProtocolError(error, 'UNKNOWN_TOPIC_OR_PARTITION')) return null;
    throw error;
  }
}

async function create(admin: Admin, topic: string): Promise<void> {
  const { brokers } = await admin.describeCluster();
  try {
    // False where somebody else was quicker.
    await admin.createTopics({ topics: [newTopic(topic, brokers.length)], waitForLeaders: true });
  } catch (error) {
    if (isProtocolError(error, 'TOPIC_AUTHORIZATION_FAILED', 'CLUSTER_AUTHORIZATION_FAILED')) {
      throw new CountersignError('config.invalid', {
        detail: `The Kafka topic ${topic} is not there, and this user may not create it.`,
        next: 'Create it as docs/operating.md says, or grant the user to create it.',
        cause: error,
      });
    }
    throw error;
  }
}

async function check(admin: Admin, topic: string, partitions: TopicDescription['partitions']): Promise<void> {
  const { resources } = await admin.describeConfigs({
    includeSynonyms: false,
    resources: [{ type: kafkajs.ConfigResourceTypes.TOPIC, name: topic, configNames: [...CHECKED_SETTINGS] }],
  });
  const settings = Object.fromEntries(
    (resources[0]?.configEntries ?? []).map(({ configName, configValue }) => [configName, configValue]),
  );
  demandSettings(topic, { partitions, settings });
}

/** Sees to it that topics are there, and are as the promises need them; each is looked at once. */
export class Topics {
  readonly #address: KafkaAddress;
  readonly #name: string;
  readonly #known = { read: new Map<string, Promise<void>>(), append: new Map<string, Promise<void>>() };

  constructor(address: KafkaAddress, name: string) {
    this.#address = address;
    this.#name = name;
  }

  /**
   * Creates a topic where it is missing; for appending, also checks its settings. Errors: `config.invalid` where it can
   * not be used and `recording.unavailable`; the next call looks again.
   */
  async ensure(topic: string, purpose: 'read' | 'append'): Promise<void> {
    checkTopic(topic);
    const known = this.#known[purpose];
    let ensured = known.get(topic);
    if (ensured === undefined) {
      ensured = this.#ensure(topic, purpose);
      known.set(topic, ensured);
      ensured.catch(() => known.delete(topic));
    }
    await ensured;
  }

  async #ensure(topic: string, purpose: 'read' | 'append'): Promise<void> {
    try {
      await administer(this.#address, this.#name, async (admin) => {
        let partitions = await exists(admin, topic);
        if (partitions === null) {
          await create(admin, topic);
          partitions = (await exists(admin, topic)) ?? [];
        }
        if (purpose === 'append') await check(admin, topic, partitions);
      });
    } catch (error) {
      throw explained(error);
    }
  }
}
