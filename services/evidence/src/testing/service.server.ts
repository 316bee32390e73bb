import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  createHealth,
  createLogger,
  createMetrics,
  loadConfiguration,
  type RunningService,
} from '@countersign/service-kit';
import { configuration } from '../configuration.js';
import { startEvidence } from '../evidence.server.js';
import { type Deployment, origin } from './deployment.store.js';
import { type Issuer, issuerName } from './issuer.server.js';

export interface RunningEvidence {
  readonly url: string;
  readonly service: RunningService;
}

/** Writes the configuration of the service, as a launcher would, and returns its file. */
export async function writeSettings(
  deployment: Deployment,
  issuer: Issuer,
  database: string,
  more: Readonly<Record<string, unknown>> = {},
): Promise<string> {
  const file = (name: string) => join(deployment.folder, name);
  const identity = await deployment.identity('evidence', 'one');
  await writeFile(file('instance-key.pem'), identity.privateKeyPem);
  await writeFile(file('instance.pem'), identity.certificatePem);
  await writeFile(file('database-url'), database);
  const settings = {
    instance: 'one',
    eventLog: deployment.postgres.url(),
    database: { file: file('database-url') },
    identity: { certificateFile: file('instance.pem'), privateKeyFile: file('instance-key.pem') },
    origin,
    authorityFile: deployment.files.authority,
    checkpoint: {
      privateKeyFile: deployment.files.checkpointKey,
      certificateFile: deployment.files.checkpointCertificate,
    },
    tokens: { issuer: issuerName, jwksUrl: issuer.jwksUrl },
    announceAfterSeconds: 1,
    ...more,
  };
  await writeFile(file('evidence.json'), JSON.stringify(settings));
  return file('evidence.json');
}

/** Starts the whole service in this process. */
export async function startService(
  deployment: Deployment,
  issuer: Issuer,
  database: string,
  more: Readonly<Record<string, unknown>> = {},
): Promise<RunningEvidence> {
  const file = await writeSettings(deployment, issuer, database, more);
  const addresses = new Map<string, string>();
  const health = createHealth();
  const service = await startEvidence({
    name: 'evidence',
    configuration: loadConfiguration(configuration, {
      service: 'evidence',
      argv: ['--config', file],
      env: {},
    }),
    logger: createLogger('evidence', 'silent'),
    health,
    metrics: createMetrics('evidence'),
    signal: new AbortController().signal,
    addresses,
  });
  health.setState('ready');
  return { url: addresses.get('http') ?? '', service };
}
