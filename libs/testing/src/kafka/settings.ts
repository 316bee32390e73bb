import { join } from 'node:path';

/** Name of the principal that may do everything. */
export const ADMINISTRATOR = 'admin';

export interface BrokerSettings {
  /** Everything of the broker lies in here. */
  readonly folder: string;
  /** Address to listen at; clients reach it as 127.0.0.1. */
  readonly listen: string;
  readonly port: number;
  readonly controllerPort: number;
  /** A second listener, and the port under which the broker tells clients of it. */
  readonly behind: { readonly port: number; readonly advertised: number } | null;
  /** Password of the administrator where clients log in (SCRAM-SHA-512); null where they need not. */
  readonly administratorPassword: string | null;
  readonly tls: boolean;
  readonly own: Readonly<Record<string, string>>;
}

export const KEY_STORE_PASSWORD = 'changeit';

const jaas = (module: string, options: Readonly<Record<string, string>>): string =>
  `org.apache.kafka.common.security.${module} required ${Object.entries(options)
    .map(([name, value]) => `${name}="${value}"`)
    .join(' ')};`;

/**
 * Who may come in: with a password each client logs in by SCRAM and may do only what an access list grants it; the
 * controller's own port takes the administrator alone.
 */
function security(password: string): Record<string, string> {
  const administrator = { username: ADMINISTRATOR, password };
  return {
    'sasl.enabled.mechanisms': 'SCRAM-SHA-512',
    'sasl.mechanism.inter.broker.protocol': 'SCRAM-SHA-512',
    'sasl.mechanism.controller.protocol': 'PLAIN',
    'listener.name.client.scram-sha-512.sasl.jaas.config': jaas('scram.ScramLoginModule', administrator),
    'listener.name.controller.sasl.enabled.mechanisms': 'PLAIN',
    'listener.name.controller.plain.sasl.jaas.config': jaas('plain.PlainLoginModule', {
      ...administrator,
      [`user_${ADMINISTRATOR}`]: password,
    }),
    'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
    'super.users': `User:${ADMINISTRATOR}`,
    'allow.everyone.if.no.acl.found': 'false',
  };
}

/** server.properties of one KRaft node, broker and controller at once, that starts and comes back quickly. */
export function serverProperties(settings: BrokerSettings): string {
  const { folder, listen, port, controllerPort, behind, administratorPassword, tls, own } = settings;
  const guarded = administratorPassword !== null;
  const client = `${guarded ? 'SASL_' : ''}${tls ? 'SSL' : 'PLAINTEXT'}`;
  const properties: Record<string, string> = {
    'process.roles': 'broker,controller',
    'node.id': '1',
    // Voters by settings rather than in the metadata log, so that a kept folder may come back on another port.
    'controller.quorum.voters': `1@127.0.0.1:${controllerPort}`,
    listeners: [
      `CLIENT://${listen}:${port}`,
      ...(behind === null ? [] : [`BEHIND://${listen}:${behind.port}`]),
      `CONTROLLER://127.0.0.1:${controllerPort}`,
    ].join(','),
    'advertised.listeners': [
      `CLIENT://127.0.0.1:${port}`,
      ...(behind === null ? [] : [`BEHIND://127.0.0.1:${behind.advertised}`]),
    ].join(','),
    'controller.listener.names': 'CONTROLLER',
    'listener.security.protocol.map': `CLIENT:${client},BEHIND:${client},CONTROLLER:${guarded ? 'SASL_' : ''}PLAINTEXT`,
    'inter.broker.listener.name': 'CLIENT',
    ...(guarded ? security(administratorPassword) : {}),
    ...(tls
      ? {
          'ssl.keystore.type': 'PKCS12',
          'ssl.keystore.location': join(folder, 'tls.p12'),
          'ssl.keystore.password': KEY_STORE_PASSWORD,
          'ssl.truststore.type': 'PEM',
          'ssl.truststore.location': join(folder, 'authority.pem'),
        }
      : {}),
    'log.dirs': join(folder, 'data'),
    'auto.create.topics.enable': 'false',
    'num.partitions': '1',
    'default.replication.factor': '1',
    'min.insync.replicas': '1',
    'offsets.topic.replication.factor': '1',
    'offsets.topic.num.partitions': '1',
    'transaction.state.log.replication.factor': '1',
    'transaction.state.log.min.isr': '1',
    'transaction.state.log.num.partitions': '1',
    'share.coordinator.state.topic.replication.factor': '1',
    'share.coordinator.state.topic.min.isr': '1',
    'share.coordinator.state.topic.num.partitions': '1',
    'group.initial.rebalance.delay.ms': '0',
    'log.cleaner.dedupe.buffer.size': '2097152',
    // A killed broker may come back once its former life counts as gone.
    'broker.session.timeout.ms': '1500',
    'broker.heartbeat.interval.ms': '300',
    'controller.quorum.election.timeout.ms': '200',
    'controller.quorum.election.backoff.max.ms': '200',
    'controller.quorum.fetch.timeout.ms': '500',
    ...own,
  };
  return Object.entries(properties)
    .map(([name, value]) => `${name}=${value}\n`)
    .join('');
}
