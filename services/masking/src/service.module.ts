import { openEventLog } from '@countersign/event-log';
import { openProducer } from '@countersign/ledger';
import { serveRpc } from '@countersign/rpc';
import {
  createHttpApplication,
  type RunningService,
  readConfiguredFile,
  type ServiceContext,
} from '@countersign/service-kit';
import { ContextList, maskingApi, maskingModule } from './api/index.js';
import type { Configuration } from './configuration.js';
import { EnginePool, poolDefaults } from './engine/index.js';
import { openValueKey, readKeyEncryptionKey } from './keys/index.js';
import { Releaser } from './release/index.js';
import { openLabels, Targets } from './targets/index.js';

/** Starts the masking service. Ready means that statements are answered; a target's catalogue comes from the ingress. */
export async function start(context: ServiceContext<Configuration>): Promise<RunningService> {
  const { configuration, logger, health, metrics, signal } = context;
  const rewrites = metrics.counter('countersign_masking_rewrites_total', 'Rewrites by outcome.', ['outcome']);
  const replaced = metrics.counter(
    'countersign_masking_threads_replaced_total',
    'Threads replaced, by reason.',
    ['reason'],
  );
  const labels = openLabels(configuration.targets);
  const keyEncryptionKey = readKeyEncryptionKey(configuration.keyEncryptionKey.reveal());
  const releaser = new Releaser(
    openValueKey(configuration.valueKeyFile, keyEncryptionKey, configuration.createValueKey),
  );
  const log = await openEventLog(configuration.eventLog);
  const producer = await openProducer({
    log,
    service: 'masking',
    instance: configuration.instance,
    identity: {
      certificatePem: readConfiguredFile(configuration.identity.certificateFile),
      privateKeyPem: readConfiguredFile(configuration.identity.privateKeyFile),
    },
  });
  const pool = new EnginePool({
    ...poolDefaults,
    ...configuration.parser,
    onFault: (where) => logger.error({ event: 'analysis-failed', where }),
    onReplaced(reason) {
      replaced.inc({ reason });
      if (reason !== 'recycled') logger.warn({ event: 'thread-replaced', reason });
    },
  });
  const targets = new Targets({
    labels,
    http: new Set(
      Object.entries(configuration.targets).flatMap(([name, { protocol }]) =>
        protocol === 'http' ? [name] : [],
      ),
    ),
    pool,
    async record(data) {
      await producer.append([{ type: 'countersign.masking.activated.v1', data, origin: 'system' }]);
      logger.info({ event: 'context-activated', ...data });
    },
  });
  const closing = async () => {
    await pool.close();
    await producer.close();
    await log.close();
  };
  try {
    const rpc = await serveRpc({
      ...configuration.grpc,
      services: [
        maskingApi({ targets, pool, releaser, signal, onRewritten: (outcome) => rewrites.inc({ outcome }) }),
      ],
      onFailure: ({ error }) => logger.warn({ event: 'call-failed', code: error.code, error }),
    });
    context.addresses.set('grpc', rpc.address);
    const contexts = new ContextList([...labels.keys()], targets);
    const http = await createHttpApplication(context, maskingModule(contexts), {
      title: 'Countersign masking',
      version: '1',
      description: 'Which targets are masked. Facts, rewrites and surrogates are asked for by gRPC.',
    });
    health.register('parser', () => pool.readyThreads > 0);
    await http.listen();
    return {
      async stop() {
        await rpc.close();
        await http.close();
        await closing();
      },
    };
  } catch (error) {
    await closing().catch(() => undefined);
    throw error;
  }
}
