import { randomBytes, randomInt, timingSafeEqual } from 'node:crypto';

/** What an agent is told at its start, and gives back to cancel what its session runs (BackendKeyData). */
export interface CancelKey {
  readonly processId: number;
  readonly secret: Buffer;
  /** From now on the key means nothing. */
  revoke(): void;
}

/** What a cancel request met: an action, a session with nothing at hand, or no session with this key. */
export type CancelOutcome = 'cancelled' | 'idle' | 'unknown';

/** Bytes of a secret: protocol 3.0 knows no longer ones. With the random process id a key has 63 bits. */
const SECRET_BYTES = 4;

/**
 * Cancel keys of the gateway's own, one for each session: those of processes at a target never reach an agent, and a key
 * reaches no session but the one that it was told to.
 */
export class CancelKeys {
  readonly #sessions = new Map<number, { readonly secret: Buffer; readonly cancel: () => boolean }>();

  /** @param cancel cancels what the session has at hand, and says whether there was something */
  issue(cancel: () => boolean): CancelKey {
    let processId = randomInt(1, 0x7fffffff);
    while (this.#sessions.has(processId)) processId = randomInt(1, 0x7fffffff);
    const secret = randomBytes(SECRET_BYTES);
    this.#sessions.set(processId, { secret, cancel });
    return { processId, secret, revoke: () => void this.#sessions.delete(processId) };
  }

  request(processId: number, secret: Uint8Array): CancelOutcome {
    const session = this.#sessions.get(processId);
    // Compared in constant time, and where there is no such session as well.
    const expected = session?.secret ?? NOBODY;
    const given = secret.length === SECRET_BYTES ? secret : WRONG;
    if (!timingSafeEqual(given, expected) || session === undefined || given === WRONG) return 'unknown';
    return session.cancel() ? 'cancelled' : 'idle';
  }
}

const NOBODY = randomBytes(SECRET_BYTES);
const WRONG = randomBytes(SECRET_BYTES);
