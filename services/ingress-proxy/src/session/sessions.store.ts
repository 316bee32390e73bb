import { randomBytes, randomUUIDv7 } from 'node:crypto';
import { digestOf, type EventData, type Origin, type SessionClaims } from '@countersign/contracts';
import { CountersignError } from '@countersign/errors';
import {
  canonicalClaims,
  type GateSession,
  type GrantStanding,
  type RecorderPort,
  transactionEvent,
} from '../gate/index.js';
import type { RecordingKeyStore } from '../recording/index.js';

export type Transport = EventData['countersign.session.opened.v1']['transport'];
export type EndReason = EventData['countersign.session.ended.v1']['reason'];

export interface NewSession {
  readonly claims: Omit<SessionClaims, 'session'>;
  readonly transport: Transport;
  /** Seconds since 1970; null for the gateway's own sessions. */
  readonly tokenExpiresAt: number | null;
  readonly grant: GrantStanding;
  readonly origin: Origin;
}

/** Opens and ends sessions: a session exists once its secret is sealed on disk and its opening is durable. */
export class Sessions {
  readonly #recorder: RecorderPort;
  readonly #keys: RecordingKeyStore;
  #open = 0;

  constructor(recorder: RecorderPort, keys: RecordingKeyStore) {
    this.#recorder = recorder;
    this.#keys = keys;
  }

  get open(): number {
    return this.#open;
  }

  /** Throws recording.unavailable. */
  async begin(session: NewSession): Promise<GateSession> {
    const claims: SessionClaims = { ...session.claims, session: randomUUIDv7() };
    const secret = randomBytes(32);
    const claimsText = canonicalClaims(claims);
    const digest = digestOf(claimsText);
    try {
      await this.#keys.seal(claims.session, secret);
      await this.#recorder.append([
        {
          type: 'countersign.session.opened.v1',
          correlationid: claims.session,
          origin: session.origin,
          data: {
            claims,
            digest,
            tokenExpiresAt: session.tokenExpiresAt ?? 0,
            transport: session.transport,
          },
        },
      ]);
    } catch (cause) {
      throw new CountersignError('recording.unavailable', { cause });
    }
    this.#open += 1;
    return {
      claims,
      claimsText,
      digest,
      tokenExpiresAt: session.tokenExpiresAt,
      origin: session.origin,
      secret,
      grant: session.grant,
      nextOrdinal: 0,
      transaction: null,
    };
  }

  /** What was open at the target is rolled back with its connection. */
  end(session: GateSession, reason: EndReason): void {
    this.#open -= 1;
    const { transaction } = session;
    const { session: id } = session.claims;
    const unfinished =
      transaction === null
        ? []
        : [
            transactionEvent(session, {
              id: transaction.id,
              result: 'rolled-back',
              actions: transaction.actions,
            }),
          ];
    session.transaction = null;
    this.#recorder
      .appendLazily([
        ...unfinished,
        {
          type: 'countersign.session.ended.v1',
          correlationid: id,
          origin: session.origin,
          data: { session: id, reason, actions: session.nextOrdinal },
        },
      ])
      .catch(() => undefined);
  }
}
