import { readFileSync } from 'node:fs';
import { connect as dial, isIP, type Socket } from 'node:net';
import { connect as secure } from 'node:tls';
import { CountersignError } from '@countersign/errors';
import kafkajs, { type Admin, type Kafka, type KafkaConfig, type Producer } from 'kafkajs';
import Cluster from 'kafkajs/src/cluster/index.js';
import { mendRequestQueue } from './request-queue.driver.js';
import type { KafkaAddress } from './url.js';

/** Milliseconds for reaching a broker, and for logging in there. */
const CONNECT_TIMEOUT = 3_000;
/** Milliseconds for all of what `bounded` opens. */
export const OPEN_WITHIN = 6_000;
/** Retries of the client when it looks for a broker that answers; nothing that was sent is ever retried by it. */
const LOOKING = { initialRetryTime: 50, maxRetryTime: 200, factor: 0.2, multiplier: 2 } as const;

type Brokers = Pick<KafkaConfig, 'brokers' | 'clientId' | 'ssl' | 'sasl'>;

function readFile(path: string, what: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    throw new CountersignError('config.invalid', {
      detail: `The ${what} of the event log cannot be read.`,
      cause,
    });
  }
}

function saslOf(login: NonNullable<KafkaAddress['login']>): NonNullable<KafkaConfig['sasl']> {
  const { username } = login;
  const password =
    'text' in login.password ? login.password.text : readFile(login.password.file, 'password file').trimEnd();
  switch (login.mechanism) {
    case 'plain':
      return { mechanism: 'plain', username, password };
    case 'scram-sha-256':
      return { mechanism: 'scram-sha-256', username, password };
    case 'scram-sha-512':
      return { mechanism: 'scram-sha-512', username, password };
  }
}

/** What the client is told; files are read anew for each connection, so that they may change. */
function brokersOf(address: KafkaAddress, clientId: string): Brokers {
  const { brokers, tls, login } = address;
  return {
    clientId,
    brokers: [...brokers],
    ...(tls === null
      ? {}
      : { ssl: tls === 'system' ? true : { ca: readFile(tls, 'certificate authority') } }),
    ...(login === null ? {} : { sasl: saslOf(login) }),
  };
}

/**
 * A client with sockets of its own that can be dropped at once. Dropping resets them: what the operating system has not
 * sent yet is never sent, so that nothing of an abandoned connection arrives later.
 */
export class Connection {
  readonly #kafka: Kafka;
  readonly #options: KafkaConfig;
  readonly #sockets = new Set<Socket>();
  #discarded = false;

  /** @param requestTimeout milliseconds after which the client gives up an answer */
  constructor(address: KafkaAddress, clientId: string, requestTimeout: number) {
    mendRequestQueue();
    this.#options = {
      ...brokersOf(address, clientId),
      connectionTimeout: CONNECT_TIMEOUT,
      authenticationTimeout: CONNECT_TIMEOUT,
      requestTimeout,
      retry: { ...LOOKING, retries: address.brokers.length },
      socketFactory: (socket) => this.#open(socket),
      logLevel: kafkajs.logLevel.NOTHING,
      // The environment cannot make it talk either: its lines would break up the structured log.
      logCreator: () => () => undefined,
    };
    this.#kafka = new kafkajs.Kafka(this.#options);
  }

  get isDiscarded(): boolean {
    return this.#discarded;
  }

  admin(): Admin {
    return this.#kafka.admin();
  }

  /** A producer that sends once: it neither retries nor numbers, so an error of its own can lose nothing. */
  producer(): Producer {
    return this.#kafka.producer({
      allowAutoTopicCreation: false,
      createPartitioner: () => () => 0,
      idempotent: false,
      retry: { retries: 0 },
    });
  }

  reader(): Cluster {
    return new Cluster({
      ...this.#options,
      logger: this.#kafka.logger(),
      enforceRequestTimeout: true,
      metadataMaxAge: 300_000,
      allowAutoTopicCreation: false,
      maxInFlightRequests: null,
      isolationLevel: 0,
    });
  }

  /** Drops everything at once; requests that run reject. */
  discard(): void {
    this.#discarded = true;
    for (const socket of this.#sockets) {
      // One that has said goodbye has sent all it will; a reset would then leave its handle open for ever.
      if (socket.writableEnded) socket.destroy();
      else socket.resetAndDestroy();
    }
  }

  #open({ host, port, ssl, onConnect }: Parameters<NonNullable<KafkaConfig['socketFactory']>>[0]): Socket {
    if (this.#discarded) throw new Error('The connection was given up.');
    const raw = dial({ host, port });
    raw.setKeepAlive(true, 30_000);
    raw.setNoDelay(true);
    this.#sockets.add(raw);
    const name = isIP(host) === 0 ? { servername: host } : {};
    const socket = ssl ? secure({ ...name, ...ssl, host, socket: raw }) : raw;
    socket.once(ssl ? 'secureConnect' : 'connect', onConnect);
    raw.once('close', () => {
      this.#sockets.delete(raw);
      // The client knows the orderly end only, and would wait for answers on a connection that was reset.
      if (raw !== socket) socket.destroy();
      socket.emit('end');
    });
    return socket;
  }
}

/** Rejects with `recording.unavailable` where `work` takes longer; what goes on then is nobody's. */
export async function bounded<T>(work: Promise<T>, milliseconds: number, what: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new CountersignError('recording.unavailable', { detail: `Kafka took too long to ${what}.` }));
    }, milliseconds);
  });
  work.catch(() => undefined);
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Runs `work` with an administrative client, in bounded time, and lets go of it. Errors as thrown. */
export async function administer<T>(
  address: KafkaAddress,
  clientId: string,
  work: (admin: Admin) => Promise<T>,
): Promise<T> {
  const connection = new Connection(address, clientId, OPEN_WITHIN);
  try {
    const admin = connection.admin();
    return await bounded(
      admin.connect().then(() => work(admin)),
      OPEN_WITHIN * 2,
      'answer',
    );
  } finally {
    connection.discard();
  }
}
