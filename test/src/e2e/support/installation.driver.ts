import { randomInt } from 'node:crypto';
import {
  type Adjust,
  type Deployment,
  type DeploymentOptions,
  Evidence,
  portCount,
  serviceNames,
  startDeployment,
} from '@countersign/deploy';
import { CountersignError } from '@countersign/errors';
import { type TemporaryFolder, temporaryFolder } from '@countersign/testing';

/** A whole installation of its own, in a temporary folder. */
export interface Installation {
  readonly deployment: Deployment;
  /** Keys, databases, recordings, configurations and logs. */
  readonly data: string;
  readonly evidence: Evidence;
  /** Stops everything and removes the folder. */
  stop(): Promise<void>;
  /** Stops everything and starts it again on the same state. */
  restart(): Promise<void>;
}

// Below the ephemeral range, so that no outgoing connection takes a port in between.
const ports = { first: 12_000, last: 32_000 } as const;
const attempts = 20;

const running = new Set<Deployment>();
// Services are process groups of their own: a test process that ends early takes them with it.
process.on('exit', () => {
  for (const { services } of running) for (const service of services.values()) service.signal('SIGKILL');
});

async function startSomewhere(options: Omit<DeploymentOptions, 'port'>): Promise<Deployment> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      const port = randomInt(ports.first, ports.last - portCount);
      const deployment = await startDeployment({ ...options, port });
      running.add(deployment);
      return deployment;
    } catch (error) {
      const taken =
        error instanceof CountersignError &&
        (error.code === 'service.port_in_use' || /listens on port/.test(error.message));
      if (!taken || attempt === attempts) throw error;
    }
  }
}

/** An installation on free ports; on a folder that an earlier one left, if it is named. */
export async function startInstallation(adjust?: Adjust, kept?: string): Promise<Installation> {
  const folder: TemporaryFolder = await temporaryFolder('e2e');
  const data = kept ?? folder.path;
  const start = (): Promise<Deployment> =>
    startSomewhere({
      data,
      progress: () => undefined,
      ...(adjust === undefined ? {} : { adjust }),
    });
  try {
    let deployment = await start();
    const halt = async (): Promise<void> => {
      await deployment.stop();
      running.delete(deployment);
    };
    return {
      get deployment() {
        return deployment;
      },
      data,
      get evidence() {
        const { evidenceApi, people } = deployment;
        return new Evidence(evidenceApi, () => people.evidenceToken('auditor'));
      },
      async stop() {
        await halt().finally(() => folder.remove());
      },
      async restart() {
        await halt();
        deployment = await start();
      },
    };
  } catch (error) {
    await folder.remove();
    throw error;
  }
}

/** Keys of the producers of an installation. */
export const producers = serviceNames.map((service) => ({ service, key: `/${service}/${service}-1` }));
