/**
 * What every service of Countersign shares: configuration, logs, health, metrics, HTTP and a life cycle.
 *
 * A service's main.ts:
 * ```ts
 * const schema = z.object({ ...baseConfiguration, policy: peer, labels: z.string().describe('labels file') });
 * await runService({ name: 'masking', schema, async start(context) {
 *   const application = await createHttpApplication(context, ServiceModule, { title: 'Masking', version: '1' });
 *   context.health.register('policy', () => policy.connected);
 *   await application.listen();
 *   return { async stop() { await application.close(); } };
 * }});
 * ```
 * `--config <file>` (YAML or JSON), then COUNTERSIGN_HTTP__PORT-like variables; `--help`, `--print-config`. Every key that
 * the schema does not know is an error. A service that leaves out a part of `baseConfiguration` picks what it wants.
 *
 * Dependency injection: the compiler emits decorator metadata, yet the linter turns an import used as a type alone into
 * `import type`, which silently empties that metadata, and interfaces have none. So name the token always:
 * `constructor(@Inject(Store) private readonly store: Store)`. Begin no file with `import 'reflect-metadata'`: the kit does.
 *
 * Requests are validated where they are declared: `@Body({ schema: person }) body: z.infer<typeof person>`, and so `@Query`
 * and `@Param`; the same schema appears at /openapi.json. Elsewhere: `parseRequest(schema, value)`. Throw CountersignError;
 * everything else is answered as `internal`, its text logged only.
 *
 * `listenRpc(context, [implement(…)])` answers other services at `grpc.address`, and logs and counts calls that fail.
 */
export {
  baseConfiguration,
  type ConfigurationSource,
  configurationHelp,
  type HttpConfiguration,
  type KitConfiguration,
  loadConfiguration,
  peer,
  type RpcConfiguration,
  readConfiguredFile,
  Secret,
  secret,
  tlsFiles,
} from './configuration/index.js';
export { createHealth, type Health, type HealthCheck, type Readiness } from './health.js';
export {
  createHttpApplication,
  type HttpApplication,
  type HttpOptions,
  invalidRequest,
  parseRequest,
} from './http/index.js';
export { listenRpc } from './listen-rpc.server.js';
export { correlationId, createLogger, type Logger, type LogLevel, withCorrelation } from './logging/index.js';
export { createMetrics, type Metrics } from './metrics.js';
export {
  exitCodes,
  type RunningService,
  runService,
  type ServiceContext,
  type ServiceDefinition,
} from './running/index.js';
