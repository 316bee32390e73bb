import type { Health } from '../health.js';
import type { Logger } from '../logging/index.js';
import type { Metrics } from '../metrics.js';

/** What a service is given at its start. */
export interface ServiceContext<Configuration> {
  readonly name: string;
  readonly configuration: Configuration;
  readonly logger: Logger;
  readonly health: Health;
  readonly metrics: Metrics;
  /** Aborted when the service is asked to stop, before `stop()` is called. */
  readonly signal: AbortSignal;
  /** Where it listens, by name of the door (`http`, `grpc`, …); the ready line shows them. */
  readonly addresses: Map<string, string>;
}
