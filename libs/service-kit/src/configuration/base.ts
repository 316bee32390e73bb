import { z } from 'zod';

/** Files of mutual TLS, PEM; both sides must show a certificate of the deployment's authority. */
export const tlsFiles = z.strictObject({
  authorityFile: z.string().describe('certificate authority that the other side must descend from, PEM'),
  certificateFile: z.string().describe('own certificate chain, PEM'),
  privateKeyFile: z.string().describe('own private key, PEM'),
});

const address = z
  .string()
  .regex(/^(unix:\/.+|(\[[0-9a-fA-F:]+\]|[A-Za-z0-9.-]+):\d{1,5})$/, 'expected unix:/path or host:port');

/** How to reach another service. */
export const peer = z.strictObject({
  address: address.describe('unix:/path or host:port'),
  tls: tlsFiles.optional().describe('mutual TLS; required for host:port outside loopback'),
  deadlineMilliseconds: z
    .int()
    .min(1)
    .max(300_000)
    .default(5000)
    .describe('how long a call may take, milliseconds'),
});

/**
 * What every service is told. A service builds its schema from it:
 * `z.object({ ...baseConfiguration, policy: peer, … })`, and leaves out `grpc` where it serves none.
 */
export const baseConfiguration = {
  instance: z
    .string()
    .regex(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/, 'expected 1 to 63 of a-z, 0-9 and inner hyphens')
    .describe('name of this instance, unique among the instances of the service; the key of its events'),
  logLevel: z
    .enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace'])
    .default('info')
    .describe('what is logged'),
  shutdownMilliseconds: z
    .int()
    .min(100)
    .max(300_000)
    .default(10_000)
    .describe('how long a graceful shutdown may take before the process ends anyway, milliseconds'),
  http: z
    .strictObject({
      host: z.string().default('127.0.0.1').describe('address to listen on'),
      port: z.int().min(0).max(65_535).default(0).describe('port to listen on; 0 takes a free one'),
      bodyLimitBytes: z
        .int()
        .min(1024)
        .max(16 * 1024 * 1024)
        .default(1024 * 1024)
        .describe('largest request body, bytes'),
    })
    .prefault({})
    .describe('HTTP: health, metrics and the API of the service'),
  grpc: z
    .strictObject({
      address: address.describe('unix:/path or host:port'),
      tls: tlsFiles.optional().describe('mutual TLS; required for host:port outside loopback'),
    })
    .describe('where this service answers other services'),
  eventLog: z.string().min(1).describe('URL of the event log: postgres://… or kafka://…'),
  identity: z
    .strictObject({
      certificateFile: z.string().describe('certificate of this instance by the deployment authority, PEM'),
      privateKeyFile: z.string().describe('its Ed25519 private key, PKCS #8 PEM'),
    })
    .describe('what this instance opens its epochs with'),
} as const;

/** What `runService` itself needs of a configuration. */
export type KitConfiguration = {
  readonly [Key in 'instance' | 'logLevel' | 'shutdownMilliseconds']: z.output<
    (typeof baseConfiguration)[Key]
  >;
};

/** What `createHttpApplication` needs of a configuration. */
export type HttpConfiguration = KitConfiguration & {
  readonly http: z.output<(typeof baseConfiguration)['http']>;
};

/** What `listenRpc` needs of a configuration. */
export type RpcConfiguration = KitConfiguration & {
  readonly grpc: z.output<(typeof baseConfiguration)['grpc']>;
};
