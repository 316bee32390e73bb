import { toCountersignError } from '@countersign/errors';
import { openEventLog } from '@countersign/event-log';
import { openProducer, type Producer } from '@countersign/ledger';
import { serveRpc } from '@countersign/rpc';
import {
  createHttpApplication,
  type RunningService,
  readConfiguredFile,
  type ServiceContext,
} from '@countersign/service-kit';
import { Announcements, policyApi, policyModule } from './api/index.js';
import { ActivePolicy, watchBundleFile } from './bundle/index.js';
import type { Configuration } from './configuration.js';
import { Decider } from './decide/index.js';

/**
 * Starts the policy service: ready means that a policy is loaded and its activation is durable. While the event log
 * cannot record the first activation, the start waits for it.
 */
export async function start(context: ServiceContext<Configuration>): Promise<RunningService> {
  const { configuration, logger, health, metrics, signal } = context;
  const decisions = metrics.counter('countersign_policy_decisions_total', 'Decisions by verdict.', [
    'verdict',
    'source',
  ]);
  const refusals = metrics.counter(
    'countersign_policy_bundles_refused_total',
    'Looks at a bundle that was refused, by error.',
    ['code'],
  );

  const log = await openEventLog(configuration.eventLog);
  const producer: Producer = await openProducer({
    log,
    service: 'policy',
    instance: configuration.instance,
    identity: {
      certificatePem: readConfiguredFile(configuration.identity.certificateFile),
      privateKeyPem: readConfiguredFile(configuration.identity.privateKeyFile),
    },
  });

  const announcements = new Announcements<string>();
  const first = Promise.withResolvers<void>();
  const active = new ActivePolicy({
    async record(data) {
      await producer.append([{ type: 'countersign.policy.activated.v1', data, origin: 'system' }]);
    },
    onActivated(activation) {
      logger.info({ event: 'policy-activated', ...activation });
      announcements.announce(activation.policyDigest);
      first.resolve();
    },
  });
  let lastRefusal: string | null = null;
  const watched = watchBundleFile({
    ...configuration.bundle,
    signal,
    async offer(bundle) {
      await active.offer(bundle);
      lastRefusal = null;
    },
    onRefused(thrown) {
      const error = toCountersignError(thrown);
      refusals.inc({ code: error.code });
      // The same bundle is looked at again and again; once is enough to say so.
      if (error.message !== lastRefusal) logger.error({ event: 'bundle-refused', code: error.code, error });
      lastRefusal = error.message;
      // Nothing decides yet and nothing but another file helps: better to end with the reason than to wait.
      if (active.current === null && error.code === 'policy.bundle_invalid') first.reject(error);
    },
  });
  const reload = () => void watched.lookNow();
  process.on('SIGHUP', reload);
  signal.addEventListener('abort', () => first.reject(signal.reason), { once: true });

  const closing = async () => {
    process.off('SIGHUP', reload);
    await producer.close();
    await log.close();
  };
  try {
    reload();
    await first.promise;
    const decider = new Decider(() => active.current, configuration.memo.entries);
    const rpc = await serveRpc({
      ...configuration.grpc,
      services: [
        policyApi({
          decider,
          announcements,
          signal,
          onDecided: ({ verdict, remembered }) =>
            decisions.inc({ verdict, source: remembered ? 'memory' : 'policy' }),
        }),
      ],
      onFailure: ({ error }) => logger.warn({ event: 'call-failed', code: error.code, error }),
    });
    context.addresses.set('grpc', rpc.address);
    const http = await createHttpApplication(context, policyModule(active), {
      title: 'Countersign policy',
      version: '1',
      description: 'Which policy decides. Decisions themselves are asked for by gRPC.',
    });
    health.register('policy', () => active.current !== null);
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
