import { baseConfiguration, peer, type Secret, secret } from '@countersign/service-kit';
import { z } from 'zod';
import { httpTarget, targetName, targetTls } from './configuration-http.js';

const { instance, logLevel, shutdownMilliseconds, http, eventLog, identity } = baseConfiguration;

const password: z.ZodType<Secret> = secret('password of that role');

const agentTls = z.strictObject({
  certificateFile: z.string().describe('certificate chain that agents see, PEM'),
  privateKeyFile: z.string().describe('its private key, PEM'),
});

const postgresTarget = z.strictObject({
  name: targetName.describe(
    'name of the target: what agents give as database, or as first segment of the path; the audience of their tokens',
  ),
  protocol: z.literal('postgresql').default('postgresql').describe('what the target speaks'),
  host: z.string().min(1).describe('host, or the folder of a Unix socket'),
  port: z.int().min(1).max(65_535).default(5432).describe('port'),
  database: z.string().min(1).describe('database at the target'),
  user: z.string().min(1).describe("the gateway's role at the target; see sql/gateway-role.sql"),
  password: password.optional(),
  tls: targetTls
    .optional()
    .describe('TLS to the target, verified; required outside loopback and Unix sockets'),
  schemas: z
    .array(z.string().min(1).max(63))
    .min(1)
    .describe('vetted schemas, in the order of the search path'),
});

const target = z.discriminatedUnion('protocol', [postgresTarget, httpTarget]);

/** The settings of the ingress. */
export const configuration = z.object({
  instance,
  logLevel,
  shutdownMilliseconds,
  http,
  eventLog,
  identity,
  listen: z
    .strictObject({
      postgresql: z
        .strictObject({
          host: z.string().default('127.0.0.1').describe('address to listen on'),
          port: z.int().min(0).max(65_535).default(0).describe('port to listen on; 0 takes a free one'),
          socket: z.string().optional().describe('path of a Unix socket to listen on as well'),
          tls: agentTls
            .optional()
            .describe('TLS for agents; without it, tokens are taken over loopback and Unix sockets only'),
        })
        .prefault({})
        .describe('agents that speak PostgreSQL'),
      http: z
        .strictObject({
          host: z.string().default('127.0.0.1').describe('address to listen on'),
          port: z.int().min(0).max(65_535).default(0).describe('port to listen on; 0 takes a free one'),
          tls: agentTls
            .optional()
            .describe('TLS for agents; without it, tokens are taken over loopback only'),
        })
        .prefault({})
        .describe('agents that speak HTTP; nothing listens where no target does'),
    })
    .prefault({})
    .describe('where agents connect'),
  targets: z.array(target).min(1).max(1000).describe('protected databases and HTTP services'),
  services: z
    .strictObject({
      policy: peer.describe('the policy service'),
      masking: peer.describe('the masking service'),
      approval: peer.describe('the approval service'),
    })
    .describe('services that every action needs'),
  recording: z
    .strictObject({
      directory: z.string().min(1).describe('folder for the sealed secrets of sessions'),
      recipientKeyFile: z
        .string()
        .min(1)
        .describe('public JWK (X25519 or P-256) of whoever may open commitments: evidence'),
    })
    .describe('what opens commitments later'),
  tokens: z
    .strictObject({ issuer: z.string().min(1).describe('who issues session tokens: their `iss`') })
    .describe('whose tokens are accepted'),
  limits: z
    .strictObject({
      connections: z.int().min(1).max(100_000).default(500).describe('connections of agents at once'),
      statementBytes: z
        .int()
        .min(1024)
        .max(16 * 1024 * 1024)
        .default(1024 * 1024)
        .describe(
          'largest statement or body of a request, bytes; parameters of one execution may take as much again',
        ),
      targetMessageBytes: z
        .int()
        .min(64 * 1024)
        .max(1024 * 1024 * 1024)
        .default(16 * 1024 * 1024)
        .describe('largest row that a target may send, or answer that has to be masked, bytes'),
      targetAnswerBytes: z
        .int()
        .min(64 * 1024)
        .max(64 * 1024 * 1024 * 1024)
        .default(1024 * 1024 * 1024)
        .describe('largest answer of an HTTP target that passes through unmasked, bytes'),
      targetConnections: z
        .int()
        .min(1)
        .max(10_000)
        .default(128)
        .describe('connections to one HTTP target at once; each serves one request at a time'),
      targetSilenceSeconds: z
        .number()
        .min(0.1)
        .max(3600)
        .default(60)
        .describe('how long an HTTP target may be silent'),
      authenticationSeconds: z.number().min(0.1).max(300).default(10).describe('time to present a token'),
      idleSeconds: z
        .number()
        .min(1)
        .max(86_400)
        .default(1800)
        .describe('time between two messages of an agent'),
      stallSeconds: z.number().min(1).max(3600).default(60).describe('time that an answer may stay unread'),
      connectSeconds: z.number().min(0.1).max(60).default(5).describe('time to connect to a target'),
      holdSeconds: z
        .number()
        .min(0)
        .max(3600)
        .default(300)
        .describe('how long a connection waits for an approval before it hears `pending`'),
      noticeSeconds: z.number().min(0.1).max(30).default(5).describe('how often it is told that it waits'),
      refusedAttemptsPerMinute: z
        .int()
        .min(1)
        .max(100_000)
        .default(120)
        .describe('refused credentials of one peer in a minute, after which it has to wait'),
      cacheBytes: z
        .int()
        .min(0)
        .max(4 * 1024 * 1024 * 1024)
        .default(64 * 1024 * 1024)
        .describe('memory for facts, for rewrites and for decisions, bytes each'),
    })
    .prefault({})
    .describe('bounds'),
  catalogueRefreshSeconds: z
    .int()
    .min(1)
    .max(86_400)
    .default(60)
    .describe(
      'how often the catalogues of targets are read again: the bound on changes made around the gateway',
    ),
});

export type Configuration = z.output<typeof configuration>;
