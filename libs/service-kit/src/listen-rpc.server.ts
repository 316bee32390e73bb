import { type RpcServer, type ServiceRegistration, serveRpc } from '@countersign/rpc';
import type { RpcConfiguration } from './configuration/index.js';
import type { ServiceContext } from './running/index.js';

export interface ListenOptions {
  /** Services whose certificates may call, by name; any of the deployment's where left out. */
  readonly peers?: readonly string[];
}

/**
 * Answers other services where the configuration says, over the channel and as ordinary gRPC. Calls that end in an error are
 * counted by method and code; those that nobody foresaw are logged with their cause. Close it in `stop()`.
 */
export async function listenRpc<Configuration extends RpcConfiguration>(
  context: ServiceContext<Configuration>,
  services: readonly ServiceRegistration[],
  options: ListenOptions = {},
): Promise<RpcServer> {
  const { configuration, logger, metrics } = context;
  const failures = metrics.counter('countersign_rpc_failures_total', 'Calls that ended in an error.', [
    'method',
    'code',
  ]);
  const server = await serveRpc({
    ...configuration.grpc,
    services,
    peers: options.peers,
    onFailure: ({ service, method, correlationId, error }) => {
      failures.inc({ method, code: error.code });
      const fields = { event: 'call-failed', rpc: `${service}/${method}`, correlationid: correlationId };
      if (error.code === 'internal')
        logger.error({ ...fields, code: error.code, error: error.cause ?? error });
      else logger.debug({ ...fields, code: error.code });
    },
  });
  context.addresses.set('grpc', server.address);
  logger.info({ event: 'listening', door: 'grpc', address: server.address });
  return server;
}
