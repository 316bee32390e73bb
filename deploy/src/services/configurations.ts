import { apiName, type DeployedService, gatewayRole, type Store, targetName } from '../databases/index.js';
import type { DeployedEventLog } from '../event-log/index.js';
import type { Ports, Secrets } from '../state/index.js';

export const tokenIssuer = 'urn:countersign:approval';
export const logOrigin = 'countersign.local/sample';

/** Files of the installation that configurations name. */
export interface InstallationFiles {
  readonly bundle: string;
  readonly labels: string;
  /** Labels of the HTTP target. */
  readonly apiLabels: string;
  /** Private folder for Unix sockets. */
  readonly sockets: string;
  readonly recordings: string;
}

export interface Administrator {
  readonly id: string;
  readonly publicKey: { readonly kty: 'OKP'; readonly crv: 'Ed25519'; readonly x: string };
}

export interface Installation {
  readonly ports: Ports;
  readonly targetPort: number;
  /** What agents may ask of the HTTP target. */
  readonly operations: readonly unknown[];
  readonly store: Store;
  readonly eventLog: DeployedEventLog;
  readonly secrets: Secrets;
  readonly files: InstallationFiles;
  readonly administrator: Administrator;
}

export type Configurations = Readonly<Record<DeployedService, unknown>>;

const socketOf = (files: InstallationFiles, service: DeployedService): string =>
  `unix:${files.sockets}/${service}.sock`;

/** The configuration of each service of a local installation: loopback, Unix sockets, secrets by file. */
export async function configurationsOf(installation: Installation): Promise<Configurations> {
  const { ports, store, eventLog, secrets, files } = installation;
  const base = async (service: DeployedService, port = 0) => ({
    instance: `${service}-1`,
    http: { port },
    eventLog: eventLog.url(service),
    identity: await secrets.identity(service, `${service}-1`),
  });
  const serving = (service: DeployedService) => ({ grpc: { address: socketOf(files, service) } });
  const database = async (service: 'approval' | 'evidence') => ({
    file: await secrets.text(`${service}.database`, store.url(service, service)),
  });
  const checkpoint = await secrets.identity('evidence', 'checkpoint');
  const authority = await secrets.authority();
  return {
    policy: { ...(await base('policy')), ...serving('policy'), bundle: { file: files.bundle } },
    masking: {
      ...(await base('masking')),
      ...serving('masking'),
      targets: {
        [targetName]: { labels: files.labels },
        [apiName]: { protocol: 'http', labels: files.apiLabels },
      },
      valueKeyFile: secrets.file('surrogates.wrapped.key'),
      createValueKey: true,
      keyEncryptionKey: { file: await secrets.symmetricKey('surrogates.wrapping') },
    },
    approval: {
      ...(await base('approval', ports.approvalApi)),
      ...serving('approval'),
      database: await database('approval'),
      tokens: { issuer: tokenIssuer, signingKey: { file: await secrets.signingKey('tokens') } },
      contents: { key: { file: await secrets.symmetricKey('held-statements') } },
      bootstrap: [
        {
          id: installation.administrator.id,
          kind: 'person',
          roles: ['administrator'],
          publicKey: installation.administrator.publicKey,
        },
      ],
    },
    evidence: {
      ...(await base('evidence', ports.evidenceApi)),
      database: await database('evidence'),
      origin: logOrigin,
      authorityFile: authority.certificateFile,
      checkpoint,
      tokens: {
        issuer: tokenIssuer,
        jwksUrl: `http://127.0.0.1:${ports.approvalApi}/.well-known/jwks.json`,
      },
      policies: [files.bundle],
    },
    'ingress-proxy': {
      ...(await base('ingress-proxy')),
      listen: { postgresql: { port: ports.ingress }, http: { port: ports.ingressHttp } },
      targets: [
        {
          name: targetName,
          host: '127.0.0.1',
          port: installation.targetPort,
          database: targetName,
          user: gatewayRole,
          password: { file: secrets.file('target.password') },
          schemas: ['clinic'],
        },
        {
          name: apiName,
          protocol: 'http',
          url: `http://127.0.0.1:${ports.sampleApi}`,
          credential: { secret: { file: secrets.file(`${apiName}.password`) } },
          operations: installation.operations,
        },
      ],
      services: {
        policy: { address: socketOf(files, 'policy') },
        masking: { address: socketOf(files, 'masking') },
        approval: { address: socketOf(files, 'approval') },
      },
      recording: {
        directory: files.recordings,
        recipientKeyFile: await secrets.recordingRecipient(),
      },
      tokens: { issuer: tokenIssuer },
    },
  };
}
