import { hrtime } from 'node:process';
import { createSecureContext, type SecureContext } from 'node:tls';
import { CountersignError, toCountersignError } from '@countersign/errors';
import { openEventLog } from '@countersign/event-log';
import { openProducer, type Producer } from '@countersign/ledger';
import {
  createHttpApplication,
  type RunningService,
  readConfiguredFile,
  type ServiceContext,
} from '@countersign/service-kit';
import { Module } from '@nestjs/common';
import type { Configuration } from './configuration.js';
import { ApprovalClient, type ClockPort, Gate, MaskingClient, PolicyClient } from './gate/index.js';
import { measuresOf } from './measures.js';
import { ApprovalPlaces, listenForRequests, servedTargets } from './protocols/http/index.js';
import { listenForAgents, postgresReader } from './protocols/postgres/index.js';
import { openFolderKeyStore, readRecipientKey } from './recording/index.js';
import { Attempts, GrantWatch, isLoopback, Refusals, Sessions, TokenVerifier } from './session/index.js';
import { Catalogues, httpTargetsOf, SystemActions, targetsOf } from './targets/index.js';
import { closeServices, connectServices, watchServices } from './wiring.driver.js';

/** HTTP answers health and metrics only: everything else of the ingress is for agents, on their wire. */
@Module({})
export class IngressModule {}

const clock: ClockPort = {
  now: () => Date.now(),
  microseconds: () => Number(hrtime.bigint() / 1000n),
};

/** How long running actions may take to end when the service stops, milliseconds. */
const GRACE = 5_000;

/** Starts the ingress: ready once it can record and listens, whatever of its services or targets is still missing. */
export async function start(context: ServiceContext<Configuration>): Promise<RunningService> {
  const { configuration, logger, health, signal } = context;
  const { limits, listen } = configuration;
  const measures = measuresOf(context.metrics);
  const { postgresql, http: overHttp } = byProtocol(configuration.targets);
  const targets = targetsOf(
    postgresql,
    readConfiguredFile,
    (host) => host.startsWith('/') || isLoopback(host),
  );
  const httpTargets = httpTargetsOf(overHttp, readConfiguredFile, isLoopback);
  const names = [...targets.keys(), ...httpTargets.keys()];
  const served = servedTargets(httpTargets, {
    connectMilliseconds: limits.connectSeconds * 1000,
    silenceMilliseconds: limits.targetSilenceSeconds * 1000,
    connections: limits.targetConnections,
  });
  const keys = openFolderKeyStore(
    configuration.recording.directory,
    readRecipientKey(readConfiguredFile(configuration.recording.recipientKeyFile)),
  );
  const tls = tlsOf(listen.postgresql.tls);

  const log = await openEventLog(configuration.eventLog);
  const producer: Producer = await openProducer({
    log,
    service: 'ingress-proxy',
    instance: configuration.instance,
    identity: {
      certificatePem: readConfiguredFile(configuration.identity.certificateFile),
      privateKeyPem: readConfiguredFile(configuration.identity.privateKeyFile),
    },
  });

  const services = connectServices(configuration.services);
  const targetLimits = {
    connectMilliseconds: limits.connectSeconds * 1000,
    maximumMessage: limits.targetMessageBytes,
  };
  const sessions = new Sessions(producer, keys);
  const refusals = new Refusals(producer);
  const systemActions = new SystemActions(sessions, producer, clock);
  const catalogues = new Catalogues(
    targets,
    httpTargets,
    services.masking,
    postgresReader(targetLimits),
    systemActions,
  );
  const policy = new PolicyClient(services.policy, limits.cacheBytes);
  const masking = new MaskingClient(services.masking, limits.cacheBytes, (target) => catalogues.load(target));
  const grants = new GrantWatch(services.approval, () => clock.now());
  const tokens = new TokenVerifier(services.approval, configuration.tokens.issuer, () => clock.now());
  const stopping = new AbortController();
  const watches = watchServices(services, { policy, masking, grants, tokens }, logger, stopping.signal);

  const load = async (target: string, reading: () => Promise<void>): Promise<void> => {
    try {
      await reading();
    } catch (thrown) {
      const error = toCountersignError(thrown);
      logger.warn({ event: 'catalogue-not-read', target, code: error.code, error });
    }
  };
  const approval = new ApprovalClient(services.approval);
  const gate = new Gate(
    {
      masking,
      policy,
      approval,
      grants,
      recorder: producer,
      clock,
      structureChanged: (target) => load(target, () => catalogues.reload(target)),
      observer: measures,
    },
    { holdMilliseconds: limits.holdSeconds * 1000, noticeMilliseconds: limits.noticeSeconds * 1000 },
  );

  const refresh = (): void => {
    for (const target of names) void load(target, () => catalogues.load(target));
  };
  const refreshing = setInterval(refresh, configuration.catalogueRefreshSeconds * 1000);

  const shared = {
    tokens,
    grants,
    sessions,
    refusals,
    attempts: new Attempts(limits.refusedAttemptsPerMinute),
    gate,
    clock,
    stopping: signal,
    observer: measures,
  };
  const listener = await listenForAgents(
    {
      ...shared,
      targets,
      systemActions,
      limits: {
        maximumStatement: limits.statementBytes,
        authenticationMilliseconds: limits.authenticationSeconds * 1000,
        idleMilliseconds: limits.idleSeconds * 1000,
      },
      targetLimits,
      tls,
    },
    {
      host: listen.postgresql.host,
      port: listen.postgresql.port,
      socket: listen.postgresql.socket ?? null,
      maximumConnections: limits.connections,
      stallMilliseconds: limits.stallSeconds * 1000,
    },
  );
  context.addresses.set('postgresql', listener.address);
  const httpListener =
    served.size === 0
      ? null
      : await listenForRequests(
          {
            ...shared,
            targets: served,
            approvals: approval,
            places: new ApprovalPlaces(),
            limits: {
              requestBytes: limits.statementBytes,
              maskedBytes: limits.targetMessageBytes,
              answerBytes: limits.targetAnswerBytes,
              stallMilliseconds: limits.stallSeconds * 1000,
            },
          },
          {
            host: listen.http.host,
            port: listen.http.port,
            tls: pemOf(listen.http.tls),
            maximumConnections: limits.connections,
            headMilliseconds: limits.authenticationSeconds * 1000,
            requestMilliseconds: limits.stallSeconds * 1000,
            idleMilliseconds: limits.idleSeconds * 1000,
          },
        );
  if (httpListener !== null) context.addresses.set('agents-http', httpListener.address);
  health.register('recording', () => producer.healthy);
  for (const name of ['policy', 'masking', 'approval'] as const) {
    health.register(name, () => services[name].connected);
  }
  health.register('watches', () => watches.standing.has('policy') && watches.standing.has('approval'));
  for (const name of names) health.register(`target-${name}`, () => catalogues.isLoaded(name));
  const http = await createHttpApplication(context, IngressModule, {
    title: 'Countersign ingress',
    version: '1',
    openapi: false,
  });
  await http.listen();
  refresh();

  return {
    async stop() {
      clearInterval(refreshing);
      await Promise.all([listener.close(GRACE), httpListener?.close(GRACE)]);
      await Promise.all([...served.values()].map(({ upstream }) => upstream.close()));
      stopping.abort();
      refusals.close();
      await systemActions.close();
      await http.close();
      await producer.close();
      closeServices(services);
      await log.close();
    },
  };
}

function byProtocol(targets: Configuration['targets']): {
  readonly postgresql: Extract<Configuration['targets'][number], { protocol: 'postgresql' }>[];
  readonly http: Extract<Configuration['targets'][number], { protocol: 'http' }>[];
} {
  const twice = targets.find(({ name }, index) => targets.findIndex((other) => other.name === name) < index);
  if (twice !== undefined) {
    throw new CountersignError('config.invalid', { detail: `The target ${twice.name} is configured twice.` });
  }
  return {
    postgresql: targets.filter((target) => target.protocol === 'postgresql'),
    http: targets.filter((target) => target.protocol === 'http'),
  };
}

function pemOf(
  files: Configuration['listen']['http']['tls'],
): { readonly certificate: string; readonly privateKey: string } | null {
  if (files === undefined) return null;
  return {
    certificate: readConfiguredFile(files.certificateFile),
    privateKey: readConfiguredFile(files.privateKeyFile),
  };
}

function tlsOf(files: Configuration['listen']['postgresql']['tls']): SecureContext | null {
  if (files === undefined) return null;
  return createSecureContext({
    cert: readConfiguredFile(files.certificateFile),
    key: readConfiguredFile(files.privateKeyFile),
    minVersion: 'TLSv1.2',
  });
}
