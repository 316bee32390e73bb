import { CountersignError } from '@countersign/errors';
import kafkajs, { type AclEntry } from 'kafkajs';
import { administer } from './connection.driver.js';
import { explained } from './errors.js';
import { Topics } from './topics.driver.js';
import { parseKafkaUrl } from './url.js';

export interface EventLogRights {
  /** Topics that each user may append to and read, by the user's name. */
  readonly append?: Readonly<Record<string, readonly string[]>>;
  /** Users who may read all of the topics, and nothing else. */
  readonly read?: readonly string[];
}

const { AclOperationTypes, AclPermissionTypes, AclResourceTypes, ResourcePatternTypes } = kafkajs;

const NAME = 'countersign-event-log-rights';
const READING = [AclOperationTypes.READ, AclOperationTypes.DESCRIBE, AclOperationTypes.DESCRIBE_CONFIGS];
const APPENDING = [...READING, AclOperationTypes.WRITE];

const allow = (
  user: string,
  operation: number,
  resource: Pick<AclEntry, 'resourceType' | 'resourceName' | 'resourcePatternType'>,
): AclEntry => ({
  ...resource,
  principal: `User:${user}`,
  host: '*',
  operation,
  permissionType: AclPermissionTypes.ALLOW,
});

const topicRights = (user: string, topic: string, operations: readonly number[]): AclEntry[] =>
  operations.map((operation) =>
    allow(user, operation, {
      resourceType: AclResourceTypes.TOPIC,
      resourceName: topic,
      resourcePatternType: ResourcePatternTypes.LITERAL,
    }),
  );

/**
 * Creates topics as an administrator, or checks them, and grants users to append to some or to read all. Nobody but the
 * administrator may create, delete or configure them. A reader may also use consumer groups whose name begins with its
 * own, for clients that need one. Grants are added, none is taken away. Without rights asked for, the cluster need not
 * know access lists. Errors: `config.invalid`, `recording.unavailable`.
 */
export async function createEventLogTopics(
  url: string,
  topics: readonly string[],
  rights: EventLogRights = {},
): Promise<void> {
  const address = parseKafkaUrl(url);
  const known = new Topics(address, NAME);
  await Promise.all(topics.map((topic) => known.ensure(topic, 'append')));
  const acl = [
    ...Object.entries(rights.append ?? {}).flatMap(([user, own]) =>
      own.flatMap((topic) => topicRights(user, topic, APPENDING)),
    ),
    ...(rights.read ?? []).flatMap((user) => [
      ...topics.flatMap((topic) => topicRights(user, topic, READING)),
      allow(user, AclOperationTypes.READ, {
        resourceType: AclResourceTypes.GROUP,
        resourceName: user,
        resourcePatternType: ResourcePatternTypes.PREFIXED,
      }),
    ]),
  ];
  if (acl.length === 0) return;
  try {
    const made = await administer(address, NAME, (admin) => admin.createAcls({ acl }));
    if (!made) throw new CountersignError('recording.unavailable', { detail: 'Kafka took no access list.' });
  } catch (error) {
    throw explained(error);
  }
}
