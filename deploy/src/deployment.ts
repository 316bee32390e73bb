import { chmod, mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CountersignError } from '@countersign/errors';
import { fingerprintOf } from '@countersign/ledger';
import {
  apiName,
  type DeployedService,
  type Store,
  serviceNames,
  startStore,
  startTarget,
  storeRoles,
  type Target,
} from './databases/index.js';
import {
  type DeployedEventLog,
  demandKind,
  eventLogInCluster,
  eventLogInStore,
  noteKind,
  startEventLogBroker,
} from './event-log/index.js';
import { configurationsOf, SupervisedProcess } from './services/index.js';
import { cast, People } from './session/index.js';
import { demandFree, type Ports, portsFrom, Secrets, takeFolder } from './state/index.js';

export type Settings = Readonly<Record<string, unknown>>;
export type Adjust = (service: DeployedService, settings: Settings) => Settings | Promise<Settings>;

export interface DeploymentOptions {
  readonly data: string;
  /** First port; see `portsFrom`. */
  readonly port: number;
  /** Where events are kept: `postgres` (unless told), `kafka` for a broker of its own, or the URL of a Kafka cluster. */
  readonly eventLog?: string;
  /** Changes the configuration of a service before it is written; for tests. */
  readonly adjust?: Adjust;
  /** Hears what happens, a sentence each. */
  progress(line: string): void;
  /** Ends a start that is under way: whatever was started is stopped again. */
  readonly signal?: AbortSignal;
  /** The installation cannot go on, and has to be stopped. */
  onFailure?(failure: unknown): void;
}

export interface Deployment {
  readonly ports: Ports;
  readonly store: Store;
  readonly eventLog: DeployedEventLog;
  readonly target: Target;
  readonly sampleApi: SupervisedProcess;
  readonly services: ReadonlyMap<DeployedService, SupervisedProcess>;
  readonly people: People;
  readonly secrets: Secrets;
  readonly approvalApi: string;
  readonly evidenceApi: string;
  /** What an auditor pins: fingerprints of the deployment's authority and of the checkpoint key. */
  readonly fingerprints: readonly [authority: string, checkpoint: string];
  /** Folder with the log of each service. */
  readonly logs: string;
  stop(): Promise<void>;
}

const checkout = new URL('../../', import.meta.url);
const at = (path: string): string => fileURLToPath(new URL(path, checkout));

/** Order of starting: whoever is called before whoever calls. Those of one row start together. */
const startOrder: readonly (readonly DeployedService[])[] = [
  ['policy', 'masking', 'approval'],
  ['evidence', 'ingress-proxy'],
];

/** Makes a folder and those above it; one by one, since Node never returns from making several below /proc. */
async function makeFolder(path: string): Promise<void> {
  try {
    await mkdir(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST' && (await stat(path)).isDirectory()) return;
    if (code !== 'ENOENT' || dirname(path) === path || (await isFolder(dirname(path)))) throw error;
    await makeFolder(dirname(path));
    await mkdir(path);
  }
}

const isFolder = (path: string): Promise<boolean> =>
  stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );

async function folders(
  data: string,
): Promise<{ logs: string; sockets: string; recordings: string; configurations: string }> {
  await makeFolder(data);
  // The databases' own user passes through this folder; everything else in it is closed.
  await chmod(data, 0o711);
  const made = {
    logs: join(data, 'logs'),
    sockets: join(data, 'sockets'),
    recordings: join(data, 'recordings'),
    configurations: join(data, 'configurations'),
  };
  for (const folder of Object.values(made)) await mkdir(folder, { recursive: true, mode: 0o700 });
  return made;
}

async function openKafka(
  place: string,
  data: string,
  port: number,
  secrets: Secrets,
): Promise<DeployedEventLog | null> {
  if (place === 'postgres') return null;
  return place === 'kafka' ? startEventLogBroker(data, port, secrets) : eventLogInCluster(place);
}

/**
 * Starts a whole installation on this machine: two PostgreSQL servers, a Kafka broker where events are kept in one, the
 * sample's HTTP service, five services as processes of their own, keys and an enrolled cast. State in the data folder is resumed. Throws catalogued errors for taken ports, a full disk and a
 * second launcher; whatever was started is stopped again.
 */
export async function startDeployment(options: DeploymentOptions): Promise<Deployment> {
  const { data, progress } = options;
  const ports = portsFrom(options.port);
  const { logs, sockets, recordings, configurations } = await folders(data).catch((cause: unknown) => {
    throw new CountersignError('config.invalid', {
      detail: `The folder ${data} cannot be used: ${(cause as NodeJS.ErrnoException).code ?? 'unknown'}.`,
      next: 'Name a folder that can be made and written to with --data.',
      cause,
    });
  });
  const taken = await takeFolder(data);
  for (const name of taken.ended) progress(`Stopped ${name}, left over from an earlier start.`);
  const stops: (() => Promise<void>)[] = [() => taken.release()];
  const stop = async (): Promise<void> => {
    for (const end of stops.splice(0).reverse()) await end();
  };
  try {
    await demandFree(ports);
    const { eventLog: place = 'postgres' } = options;
    await demandKind(data, place === 'postgres' || place === 'kafka' ? place : 'cluster');
    const secrets = new Secrets(data);
    const authority = await secrets.authority();
    const checkpoint = await readFile(
      (await secrets.identity('evidence', 'checkpoint')).certificateFile,
      'utf8',
    );
    const passwords = Object.fromEntries(
      await Promise.all(storeRoles.map(async (role) => [role, await secrets.password(`store.${role}`)])),
    ) as Record<(typeof storeRoles)[number], string>;
    const [store, target, kafka] = await Promise.all([
      startStore(join(data, 'store'), ports.store, passwords).then((started) => {
        stops.push(() => started.instance.stop());
        return started;
      }),
      startTarget(join(data, 'target'), ports.target, await secrets.password('target'), {
        sample: new URL('deploy/sample/clinic.sql', checkout),
        gatewayRole: new URL('services/ingress-proxy/sql/gateway-role.sql', checkout),
      }).then((started) => {
        stops.push(() => started.instance.stop());
        return started;
      }),
      openKafka(place, data, ports.kafka, secrets).then((opened) => {
        if (opened !== null) stops.push(() => opened.stop());
        return opened;
      }),
    ]);
    const eventLog = kafka ?? eventLogInStore(store);
    await noteKind(data, eventLog.kind);
    progress(
      `Started two PostgreSQL servers; the sample clinic has ${target.rows.toLocaleString('en')} rows.`,
    );
    if (kafka !== null) progress(`Keeping events in ${eventLog.name}.`);
    const approvalApi = `http://127.0.0.1:${ports.approvalApi}`;
    const people = new People(approvalApi, secrets);
    const settings = await configurationsOf({
      ports,
      targetPort: ports.target,
      operations: JSON.parse(await readFile(at('deploy/sample/clinic-api.operations.json'), 'utf8')),
      store,
      eventLog,
      secrets,
      files: {
        bundle: at('policies/bundle.tar.gz'),
        labels: at('deploy/sample/labels.json'),
        apiLabels: at('deploy/sample/clinic-api.labels.json'),
        sockets,
        recordings,
      },
      administrator: { id: cast.administrator.id, publicKey: people.publicKey('administrator') },
    });
    await secrets.password(apiName);
    const sampleApi = new SupervisedProcess({
      name: apiName,
      script: at('deploy/dist/sample-api/clinic-api.main.js'),
      arguments: ['--port', String(ports.sampleApi), '--key-file', secrets.file(`${apiName}.password`)],
      environment: { PATH: process.env.PATH, NODE_ENV: 'production' },
      logFile: join(logs, `${apiName}.log`),
      onLogError: (error) => options.onFailure?.(error),
    });
    stops.push(() => sampleApi.stop());
    await sampleApi.start();
    progress(`Started ${apiName}, an HTTP service of the sample (process ${String(sampleApi.pid)}).`);
    const services = new Map<DeployedService, SupervisedProcess>();
    for (const service of serviceNames) {
      const file = join(configurations, `${service}.json`);
      const plain = settings[service] as Settings;
      const adjusted = (await options.adjust?.(service, plain)) ?? plain;
      await writeFile(file, JSON.stringify(adjusted, undefined, 2), { mode: 0o600 });
      services.set(
        service,
        new SupervisedProcess({
          name: service,
          script: at(`services/${service}/dist/main.js`),
          arguments: ['--config', file],
          environment: { PATH: process.env.PATH, NODE_ENV: 'production' },
          logFile: join(logs, `${service}.log`),
          onLogError: (error) => options.onFailure?.(error),
        }),
      );
    }
    for (const row of startOrder) {
      options.signal?.throwIfAborted();
      await Promise.all(
        row.map(async (service) => {
          const supervised = services.get(service);
          if (supervised === undefined) return;
          stops.push(() => supervised.stop());
          await supervised.start();
          progress(`Started ${service} (process ${String(supervised.pid)}).`);
        }),
      );
    }
    options.signal?.throwIfAborted();
    const settled = await people.settle();
    progress(
      settled.enrolled + settled.granted === 0
        ? 'Found everyone enrolled, and each agent with its grants on both targets.'
        : `Enrolled ${settled.enrolled} persons and agents; gave agents ${settled.granted} grants on both targets.`,
    );
    return {
      ports,
      store,
      eventLog,
      target,
      sampleApi,
      services,
      people,
      secrets,
      approvalApi,
      evidenceApi: `http://127.0.0.1:${ports.evidenceApi}`,
      fingerprints: [fingerprintOf(authority.certificatePem), fingerprintOf(checkpoint)],
      logs,
      stop,
    };
  } catch (failure) {
    await stop().catch(() => undefined);
    throw failure;
  }
}
