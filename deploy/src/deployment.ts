import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { fingerprintOf } from '@countersign/ledger';
import {
  type DeployedService,
  type Store,
  serviceNames,
  startStore,
  startTarget,
  storeRoles,
  type Target,
} from './databases/index.js';
import { configurationsOf, SupervisedProcess } from './services/index.js';
import { cast, People } from './session/index.js';
import { demandFree, type Ports, portsFrom, Secrets, takeFolder } from './state/index.js';

export type Settings = Readonly<Record<string, unknown>>;
export type Adjust = (service: DeployedService, settings: Settings) => Settings | Promise<Settings>;

export interface DeploymentOptions {
  readonly data: string;
  /** First port; see `portsFrom`. */
  readonly port: number;
  /** Changes the configuration of a service before it is written; for tests. */
  readonly adjust?: Adjust;
  /** Hears what happens, a sentence each. */
  progress(line: string): void;
}

export interface Deployment {
  readonly ports: Ports;
  readonly store: Store;
  readonly target: Target;
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

async function folders(
  data: string,
): Promise<{ logs: string; sockets: string; recordings: string; configurations: string }> {
  await mkdir(data, { recursive: true });
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

/**
 * Starts a whole installation on this machine: two PostgreSQL servers, five services as processes of their own, keys and
 * an enrolled cast. State in the data folder is resumed. Throws catalogued errors for taken ports, a full disk and a
 * second launcher; whatever was started is stopped again.
 */
export async function startDeployment(options: DeploymentOptions): Promise<Deployment> {
  const { data, progress } = options;
  const ports = portsFrom(options.port);
  const { logs, sockets, recordings, configurations } = await folders(data);
  const taken = await takeFolder(data);
  for (const name of taken.ended) progress(`Stopped ${name}, left over from an earlier start.`);
  const stops: (() => Promise<void>)[] = [() => taken.release()];
  const stop = async (): Promise<void> => {
    for (const end of stops.splice(0).reverse()) await end();
  };
  try {
    await demandFree(ports);
    const secrets = new Secrets(data);
    const authority = await secrets.authority();
    const checkpoint = await readFile(
      (await secrets.identity('evidence', 'checkpoint')).certificateFile,
      'utf8',
    );
    const passwords = Object.fromEntries(
      await Promise.all(storeRoles.map(async (role) => [role, await secrets.password(`store.${role}`)])),
    ) as Record<(typeof storeRoles)[number], string>;
    const [store, target] = await Promise.all([
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
    ]);
    progress(
      `Started two PostgreSQL servers; the sample clinic has ${target.rows.toLocaleString('en')} rows.`,
    );
    const approvalApi = `http://127.0.0.1:${ports.approvalApi}`;
    const people = new People(approvalApi, secrets);
    const settings = await configurationsOf({
      ports,
      targetPort: ports.target,
      store,
      secrets,
      files: {
        bundle: at('policies/bundle.tar.gz'),
        labels: at('deploy/sample/labels.json'),
        sockets,
        recordings,
      },
      administrator: { id: cast.administrator.id, publicKey: people.publicKey('administrator') },
    });
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
        }),
      );
    }
    for (const row of startOrder) {
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
    await people.settle();
    progress('Enrolled four persons and two agents; granted each agent its role on the clinic.');
    return {
      ports,
      store,
      target,
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
