import { setTimeout as sleep } from 'node:timers/promises';
import { CountersignError } from '@countersign/errors';
import { serveRpc } from '@countersign/rpc';
import {
  createHttpApplication,
  type RunningService,
  readConfiguredFile,
  type Secret,
  type ServiceContext,
} from '@countersign/service-kit';
import type { ApprovalConfiguration } from './configuration.js';
import { Grants } from './grants/index.js';
import { Clock, httpModule } from './http/index.js';
import { Principals, readPublicKey, thumbprintOf } from './principals/index.js';
import { Relay } from './publishing/index.js';
import { Contents, type KeyEncryptionKeys, Listing, Requests } from './requests/index.js';
import { approvalService } from './rpc/index.js';
import { Changes, Database, Outbox } from './storage/index.js';
import { sweepEvery } from './sweeper.worker.js';
import { Attempts, Refusals, SigningKeys, Tokens } from './tokens/index.js';

/** How long the rest of the outbox may take at the end, milliseconds; what is left goes out with the next start. */
const lastPublication = 2000;

type Context = ServiceContext<ApprovalConfiguration>;

function keyEncryptionKey(secret: Secret, name: string): Uint8Array {
  const key = Buffer.from(secret.reveal(), 'base64');
  if (key.length !== 32)
    throw new CountersignError('config.invalid', { detail: `${name}: not 32 bytes in base64.` });
  return key;
}

function keyEncryptionKeys({ contents }: ApprovalConfiguration): KeyEncryptionKeys {
  const current = keyEncryptionKey(contents.key, 'contents.key');
  if (contents.previousKey === undefined) return [current];
  return [current, keyEncryptionKey(contents.previousKey, 'contents.previousKey')];
}

/** The rules and stores of the service, without anything that runs by itself. */
function assemble({ configuration, logger }: Context) {
  const now = () => Math.floor(Date.now() / 1000);
  const { tokens: settings, approvals } = configuration;
  const database = new Database({
    url: configuration.database.reveal(),
    applicationName: `countersign-approval/${configuration.instance}`,
    statementMilliseconds: configuration.statementMilliseconds,
    connections: configuration.databaseConnections,
    onIdleError: () => logger.warn({ event: 'database-connection-lost' }),
  });
  const changes = new Changes(database);
  const outbox = new Outbox(database, changes);
  // Read once: a key that cannot be used ends the start, and none is read while a statement is held.
  const keks = keyEncryptionKeys(configuration);
  const contents = new Contents(database, () => keks);
  const grants = new Grants(database, configuration.grants.longestSeconds);
  const principals = new Principals(database, (...disabled) => grants.revokeAllOf(...disabled));
  const requests = new Requests({
    ...{ database, changes, outbox, contents, now },
    periods: {
      pending: approvals.pendingSeconds,
      usable: approvals.usableSeconds,
      denial: approvals.denialSeconds,
    },
    recordingMilliseconds: configuration.recordingMilliseconds,
  });
  const keys = new SigningKeys({
    ...{ database, now, longestLife: settings.lifeSeconds },
    readPem: () => settings.signingKey.reveal(),
  });
  const refusals = new Refusals(database);
  const endpoint =
    settings.publicUrl === undefined ? [] : [`${settings.publicUrl.replace(/\/+$/, '')}/oauth/token`];
  const tokens = new Tokens({
    ...{ database, principals, grants, keys, refusals, now },
    issuer: settings.issuer,
    audiences: [settings.issuer, ...endpoint],
    life: settings.lifeSeconds,
  });
  return { now, database, changes, outbox, contents, grants, principals, requests, keys, refusals, tokens };
}

async function bootstrap(
  { configuration, logger }: Context,
  principals: Principals,
  now: () => number,
): Promise<void> {
  for (const { id, kind, roles, publicKey } of configuration.bootstrap) {
    const key = readPublicKey(publicKey);
    const known = await principals.find(id);
    if (known === null) await principals.enrol({ id, kind, roles, key }, null, now());
    else if (known.thumbprint !== thumbprintOf(key)) {
      // The enrolment goes before the configuration, or a forgotten file would undo a rotated key.
      logger.warn({ event: 'bootstrap-key-differs', principal: id });
    }
  }
}

/** Starts the approval service; everything that it waits for is bounded. */
export async function startApproval(context: Context): Promise<RunningService> {
  const { configuration, logger, health } = context;
  const parts = assemble(context);
  const { now, database, changes, outbox, contents, grants, requests, keys, refusals, tokens } = parts;
  await database.migrate();
  await keys.refresh();
  await bootstrap(context, parts.principals, now);

  const stopping = new AbortController();
  const publishing = new AbortController();
  const onFailure = (task: string) => (error: unknown) => logger.error({ event: 'task-failed', task, error });
  const relay = new Relay({
    ...{ database, changes, eventLog: configuration.eventLog, instance: configuration.instance },
    identity: {
      certificatePem: readConfiguredFile(configuration.identity.certificateFile),
      privateKeyPem: readConfiguredFile(configuration.identity.privateKeyFile),
    },
    onFailure: onFailure('relay'),
  });
  const listening = changes.run(publishing.signal);
  const relaying = relay.run(publishing.signal);
  const sweeping = sweepEvery(
    configuration.sweepMilliseconds,
    [
      () => requests.sweep(),
      () => grants.sweep(now()),
      () => tokens.sweep(),
      () => refusals.flush(),
      () => contents.eraseEndedBefore(now() - configuration.contents.retentionSeconds),
    ],
    onFailure('sweep'),
    stopping.signal,
  );
  const refreshing = sweepEvery(
    configuration.tokens.keyRefreshMilliseconds,
    [() => keys.refresh()],
    onFailure('keys'),
    stopping.signal,
  );

  health.register('database', () => database.query('select 1'));
  health.register('changes', () => changes.listening);
  health.register('event-log', () => relay.state === 'publishing' || relay.state === 'standby');
  const waiting = context.metrics.gauge(
    'countersign_approval_outbox_events',
    'Events that wait to be published.',
  );
  health.register('outbox', async () => waiting.set(await outbox.waiting()));

  const application = await createHttpApplication(
    context,
    httpModule({
      ...parts,
      listing: new Listing(database),
      attempts: new Attempts(configuration.tokens.refusalsPerMinute),
      clock: new Clock(now),
    }),
    {
      title: 'Countersign approval',
      version: '1',
      description: 'Who may act, and who said so: principals, grants, tokens and approvals.',
    },
  );
  const rpc = await serveRpc({
    ...configuration.grpc,
    services: [approvalService({ requests, grants, keys, changes, now })],
    onFailure: ({ method, error }) => {
      if (error.entry.http >= 500) logger.error({ event: 'call-failed', method, code: error.code, error });
    },
  });
  context.addresses.set('grpc', rpc.address);
  await application.listen();

  return {
    async stop() {
      await Promise.all([application.close(), rpc.close(1000)]);
      stopping.abort();
      await Promise.all([sweeping, refreshing]);
      await refusals.flush(true).catch(onFailure('refusals'));
      const end = performance.now() + lastPublication;
      while (performance.now() < end && (await outbox.waiting().catch(() => 0)) > 0) await sleep(20);
      publishing.abort();
      await Promise.all([listening, relaying]);
      await database.close();
    },
  };
}
