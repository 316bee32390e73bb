import type { SecureContext } from 'node:tls';
import { CountersignError, toCountersignError } from '@countersign/errors';
import type { ClockPort, Gate, GateSession, GrantStanding } from '../../../gate/index.js';
import type {
  Attempts,
  EndReason,
  GrantWatch,
  Refusals,
  Sessions,
  TokenClaims,
  TokenVerifier,
} from '../../../session/index.js';
import type { SystemActions, Target } from '../../../targets/index.js';
import type { Channel } from '../channel.driver.js';
import { type CancelRequest, sessionRules, toClient } from '../codec/index.js';
import { toldSettings } from '../settings.js';
import { loginOf } from '../system.client.js';
import { type ConnectionLimits, TargetConnection } from '../upstream/index.js';
import type { CancelKey, CancelKeys, CancelOutcome } from './cancel-keys.js';
import { type Introduction, introduce, LEFT, readToken } from './handshake.driver.js';
import { reportOf } from './reports.js';
import { AgentSession } from './session.driver.js';

export interface AgentLimits {
  readonly maximumStatement: number;
  readonly authenticationMilliseconds: number;
  readonly idleMilliseconds: number;
}

/** What a connection happened to be, for counters. */
export interface ConnectionObserver {
  refused(code: string): void;
  cancelRequested(outcome: CancelOutcome): void;
  opened(): void;
  ended(reason: EndReason): void;
}

export interface AgentContext {
  readonly targets: ReadonlyMap<string, Target>;
  readonly tokens: TokenVerifier;
  readonly grants: GrantWatch;
  readonly sessions: Sessions;
  readonly refusals: Refusals;
  readonly attempts: Attempts;
  readonly gate: Gate;
  readonly systemActions: SystemActions;
  readonly clock: ClockPort;
  readonly limits: AgentLimits;
  readonly targetLimits: ConnectionLimits;
  readonly tls: SecureContext | null;
  readonly stopping: AbortSignal;
  readonly observer: ConnectionObserver;
}

/** What connections share beside what the listener was given. */
export interface ServingContext extends AgentContext {
  readonly cancelKeys: CancelKeys;
}

/** Serves one connection of an agent from its first byte to its last. Never throws. */
export async function serveAgent(
  context: ServingContext,
  channel: Channel,
  peer: { readonly carrier: 'network' | 'loopback' | 'unix'; readonly name: string },
): Promise<void> {
  let introduction: Introduction | null = null;
  let claims: TokenClaims | null = null;
  const handshake = {
    channel,
    carrier: peer.carrier,
    tls: context.tls,
    deadline: context.clock.now() + context.limits.authenticationMilliseconds,
    now: () => context.clock.now(),
  };
  try {
    const first = await introduce(handshake);
    if (first === LEFT || 'cancel' in first) {
      // Whoever asks for a cancellation hears nothing, whatever comes of it.
      if (first !== LEFT) onCancelRequest(context, first.cancel);
      channel.end();
      return;
    }
    introduction = first;
    const target = context.targets.get(first.target);
    if (!context.attempts.mayTry(peer.name, context.clock.now())) {
      throw new CountersignError('auth.too_many_attempts');
    }
    const token = await readToken(handshake);
    // An unknown target is told only to whoever sent a token: names of targets are not for guessing.
    if (target === undefined) throw new CountersignError('target.unknown');
    claims = await context.tokens.verify(token, target.name, first.user);
    await serveSession(context, channel, first, claims, target);
  } catch (thrown) {
    const error = toCountersignError(thrown);
    if (isCredential(error)) context.attempts.refused(peer.name, context.clock.now());
    context.refusals.add({
      target: context.targets.has(introduction?.target ?? '') ? (introduction?.target ?? null) : null,
      agent: claims?.agent ?? null,
      code: error.code,
    });
    context.observer.refused(error.code);
    channel.write(toClient.errorResponse(reportOf(error, { fatal: true })));
    channel.end();
  }
}

function onCancelRequest(context: ServingContext, { processId, secret }: CancelRequest): void {
  const outcome = context.cancelKeys.request(processId, secret);
  context.observer.cancelRequested(outcome);
  if (outcome !== 'unknown') return;
  context.refusals.add({ target: null, agent: null, code: 'session.cancel_unknown' });
}

function isCredential(error: CountersignError): boolean {
  return error.code.startsWith('auth.') || error.code === 'target.unknown';
}

async function serveSession(
  context: ServingContext,
  channel: Channel,
  introduction: Introduction,
  claims: TokenClaims,
  target: Target,
): Promise<void> {
  const standing = await context.grants.open(claims.grant);
  try {
    const session = await begin(context, introduction, claims, target, standing);
    const reason = await serveOpened(context, channel, session, target);
    context.sessions.end(session, reason);
    context.observer.ended(reason);
  } finally {
    context.grants.close(claims.grant, standing);
  }
}

function begin(
  context: AgentContext,
  introduction: Introduction,
  claims: TokenClaims,
  target: Target,
  grant: GrantStanding,
): Promise<GateSession> {
  return context.sessions.begin({
    claims: {
      agent: claims.agent,
      onBehalfOf: claims.onBehalfOf,
      delegation: claims.delegation,
      grant: claims.grant,
      role: claims.role,
      target: target.name,
      protocol: 'postgresql',
    },
    transport: introduction.transport,
    tokenExpiresAt: claims.expiresAt,
    grant,
    origin: 'agent',
  });
}

/** From here on the session is recorded: whatever happens ends it with a reason, not with a refused connection. */
async function serveOpened(
  context: ServingContext,
  channel: Channel,
  session: GateSession,
  target: Target,
): Promise<EndReason> {
  context.observer.opened();
  const login = loginOf(target, session.claims.session);
  let connection: TargetConnection;
  try {
    connection = await TargetConnection.open(login, context.targetLimits);
  } catch (thrown) {
    channel.write(toClient.errorResponse(reportOf(toCountersignError(thrown), { fatal: true })));
    channel.end();
    return 'target-lost';
  }
  const agentSession = new AgentSession({
    channel,
    session,
    gate: context.gate,
    target: connection,
    settings: login.settings,
    cancel: (action, running) => cancelRecorded(context, target.name, action, running),
    maximumStatement: context.limits.maximumStatement,
    idleMilliseconds: context.limits.idleMilliseconds,
    stopping: context.stopping,
  });
  const key = context.cancelKeys.issue(() => agentSession.cancel());
  try {
    welcome(channel, connection, login.settings, session.claims.agent, context.limits, key);
    return await agentSession.run();
  } catch {
    channel.destroy();
    return 'error';
  } finally {
    key.revoke();
    connection.close();
  }
}

function welcome(
  channel: Channel,
  connection: TargetConnection,
  settings: Readonly<Record<string, string>>,
  agent: string,
  limits: AgentLimits,
  key: CancelKey,
): void {
  channel.expectTyped(sessionRules(limits.maximumStatement));
  channel.write(toClient.authenticationOk);
  for (const [name, value] of toldSettings(connection.parameters, settings, agent)) {
    channel.write(toClient.parameterStatus(name, value));
  }
  // Keys of the gateway's own: those of the target's process never reach an agent.
  channel.write(toClient.backendKeyData(key.processId, key.secret));
  channel.write(toClient.readyForQuery('I'));
}

/** A cancellation is something that the gateway asks the target: recorded first, like everything. */
function cancelRecorded(
  context: AgentContext,
  target: string,
  action: string,
  connection: TargetConnection,
): Promise<void> {
  return context.systemActions.run(target, `CANCEL ${action}`, async () => {
    await connection.cancel();
    return { rows: 0, result: undefined };
  });
}
