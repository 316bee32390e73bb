import { CountersignError } from '@countersign/errors';
import type { GateSession, GrantStanding } from '../../../gate/index.js';
import type { EndReason, TokenClaims } from '../../../session/index.js';
import type { HttpAgentContext, Peer, ServedTarget } from './context.js';

/** A session as a connection keeps it: one agent, one target, one grant, one token. */
export interface OpenSession {
  readonly token: string;
  readonly served: ServedTarget;
  readonly session: GateSession;
  readonly standing: GrantStanding;
}

/** Whom a refused token was about, as far as that was known. */
export interface Attempt {
  readonly target: string | null;
  readonly agent: string | null;
  readonly error: CountersignError;
}

/**
 * Opens a session, or says who was refused and why.
 * @param target what the address names, configured or not
 */
export async function openSession(
  context: HttpAgentContext,
  peer: Peer,
  target: string,
  token: string,
): Promise<OpenSession | Attempt> {
  const served = context.targets.get(target);
  let claims: TokenClaims | null = null;
  try {
    if (peer.transport === null) throw new CountersignError('auth.insecure_transport');
    if (!context.attempts.mayTry(peer.name, context.clock.now())) {
      throw new CountersignError('auth.too_many_attempts');
    }
    if (token === '') throw new CountersignError('auth.token_missing', { next: MISSING });
    // An unknown target is told only to whoever sent a token: names of targets are not for guessing.
    if (served === undefined) throw new CountersignError('target.unknown', { next: UNKNOWN });
    claims = await context.tokens.verify(token, target, null);
    const standing = await context.grants.open(claims.grant);
    try {
      const session = await begin(context, claims, peer.transport, target, standing);
      context.observer.opened();
      return { token, served, session, standing };
    } catch (thrown) {
      context.grants.close(claims.grant, standing);
      throw thrown;
    }
  } catch (thrown) {
    const error =
      thrown instanceof CountersignError ? thrown : new CountersignError('internal', { cause: thrown });
    if (error.code.startsWith('auth.') || error.code === 'target.unknown') {
      context.attempts.refused(peer.name, context.clock.now());
    }
    return { target: served === undefined ? null : target, agent: claims?.agent ?? null, error };
  }
}

const MISSING = 'Send a session token as `Authorization: Bearer`; see `countersign token --help`.';
const UNKNOWN = 'Begin the path with the name of a configured target.';

function begin(
  context: HttpAgentContext,
  claims: TokenClaims,
  transport: NonNullable<Peer['transport']>,
  target: string,
  grant: GrantStanding,
): Promise<GateSession> {
  const { agent, onBehalfOf, delegation, role, expiresAt } = claims;
  return context.sessions.begin({
    claims: { agent, onBehalfOf, delegation, grant: claims.grant, role, target, protocol: 'http' },
    transport,
    tokenExpiresAt: expiresAt,
    grant,
    origin: 'agent',
  });
}

export function endSession(context: HttpAgentContext, open: OpenSession, reason: EndReason): void {
  context.sessions.end(open.session, reason);
  context.grants.close(open.session.claims.grant, open.standing);
  context.observer.ended(reason);
}
