import { openEventLog } from '@countersign/event-log';
import { openProducer } from '@countersign/ledger';
import {
  createHttpApplication,
  type RunningService,
  readConfiguredFile,
  type ServiceContext,
} from '@countersign/service-kit';
import { announceFindings } from './announce/index.js';
import { evidenceApi } from './api/index.js';
import { openTokens } from './auth/index.js';
import type { Configuration } from './configuration.js';
import { migrate, openDatabase } from './database/index.js';
import { startIngest } from './ingest/index.js';
import { loadCheckpointKey } from './log/index.js';
import { watchIngest } from './measures.js';
import { openReadings } from './reading/index.js';

/** How often findings are looked for to be announced, milliseconds. */
const announceEvery = 1000;

/** Starts everything that evidence is: it follows the event log, and answers auditors. */
export async function startEvidence(context: ServiceContext<Configuration>): Promise<RunningService> {
  const { configuration, logger, health } = context;
  const key = loadCheckpointKey({
    origin: configuration.origin,
    authorityFile: configuration.authorityFile,
    ...configuration.checkpoint,
  });
  const url = configuration.database.reveal();
  await migrate(url);
  const pool = openDatabase({
    url,
    onIdleError: (error) => logger.warn({ event: 'database-connection-lost', error }),
  });
  const eventLog = await openEventLog(configuration.eventLog);
  const producer = await openProducer({
    log: eventLog,
    service: 'evidence',
    instance: configuration.instance,
    identity: {
      certificatePem: readConfiguredFile(configuration.identity.certificateFile),
      privateKeyPem: readConfiguredFile(configuration.identity.privateKeyFile),
    },
  });

  const stopping = new AbortController();
  const measures = watchIngest(context.metrics);
  const ingest = startIngest({
    pool,
    eventLog,
    key,
    signal: stopping.signal,
    maxBatch: configuration.batchSize,
    onWritten: (written) => {
      measures.written(written);
      for (const { id, summary } of written.records.filter(({ kind }) => kind === 'finding')) {
        logger.warn({ event: 'finding', record: id }, summary);
      }
    },
    onTrouble: (error) => logger.warn({ event: 'event-log-unreadable', error }),
    onPaused: (error, milliseconds) => {
      measures.paused();
      logger.warn({ event: 'ingest-paused', milliseconds, error });
    },
  });
  const announcing = announceFindings({
    pool,
    eventLog,
    producer,
    source: `/evidence/${configuration.instance}`,
    afterSeconds: configuration.announceAfterSeconds,
    everyMilliseconds: announceEvery,
    signal: stopping.signal,
    onError: (error) => logger.warn({ event: 'announcing-failed', error }),
  });
  const readings = openReadings(producer, (error) => logger.warn({ event: 'readings-not-recorded', error }));

  health.register('database', () => pool.query('select 1'));
  health.register('ingest', () => ingest.following);
  health.register('recording', () => producer.healthy);

  const application = await createHttpApplication(
    context,
    evidenceApi({
      source: { pool, key, policies: configuration.policies },
      tokens: openTokens(configuration.tokens),
      readings,
    }),
    {
      title: 'Countersign evidence',
      version: '1',
      description:
        'Records of what agents did, mapped to numbered controls, with what proves them. For auditors only.',
    },
  );
  await application.listen();

  return {
    async stop() {
      await application.close();
      await readings.close();
      stopping.abort();
      await Promise.all([ingest.done, announcing]);
      await producer.close();
      await eventLog.close();
      await pool.end();
    },
  };
}
