import { randomUUIDv7 } from 'node:crypto';
import { type CountersignError, toCountersignError } from '@countersign/errors';
import {
  type ClockPort,
  completedEvent,
  type GateSession,
  type RecorderPort,
  type Submitted,
  systemDecidedEvent,
} from '../gate/index.js';
import type { Sessions } from '../session/index.js';

/** Who the gateway is in its own sessions. */
const GATEWAY = 'countersign-gateway';

/**
 * What the gateway itself asks a target: recorded like every action, before it happens, in a session of its own for
 * each target, so that the target's log has no exceptions.
 */
export class SystemActions {
  readonly #sessions: Sessions;
  readonly #recorder: RecorderPort;
  readonly #clock: ClockPort;
  readonly #open = new Map<string, Promise<GateSession>>();

  constructor(sessions: Sessions, recorder: RecorderPort, clock: ClockPort) {
    this.#sessions = sessions;
    this.#recorder = recorder;
    this.#clock = clock;
  }

  /** The gateway's session at a target, opened when it is first needed. Throws recording.unavailable. */
  session(target: string): Promise<GateSession> {
    const open = this.#open.get(target);
    if (open !== undefined) return open;
    const opening = this.#begin(target).catch((thrown: unknown) => {
      this.#open.delete(target);
      throw thrown;
    });
    this.#open.set(target, opening);
    return opening;
  }

  /**
   * Records, does, and records the outcome.
   * @param text exactly what the target is asked
   * @param act gives the number of rows beside its result
   */
  async run<Result>(
    target: string,
    text: string,
    act: () => Promise<{ readonly rows: number; readonly result: Result }>,
  ): Promise<Result> {
    const session = await this.session(target);
    const action = { id: randomUUIDv7(), ordinal: session.nextOrdinal };
    session.nextOrdinal += 1;
    const submitted: Submitted = {
      kind: 'statement',
      text,
      parameterTypes: [],
      parameters: [],
      purpose: 'run',
    };
    const now = Math.floor(this.#clock.now() / 1000);
    await this.#recorder.append([systemDecidedEvent(session, action, submitted, text, now)]);
    const started = this.#clock.microseconds();
    const complete = (rows: number, error: CountersignError | null): void => {
      const lost = error?.code === 'target.connection_lost';
      const event = completedEvent(session, action, null, {
        status: error === null ? 'succeeded' : lost ? 'unknown' : 'failed',
        error: error?.code ?? null,
        sqlstate: null,
        rows,
        bytes: 0,
        released: null,
        durationMicroseconds: this.#clock.microseconds() - started,
      });
      this.#recorder.appendLazily([event]).catch(() => undefined);
    };
    try {
      const { rows, result } = await act();
      complete(rows, null);
      return result;
    } catch (thrown) {
      complete(0, toCountersignError(thrown, 'target.failed'));
      throw thrown;
    }
  }

  async close(): Promise<void> {
    const sessions = await Promise.allSettled(this.#open.values());
    this.#open.clear();
    for (const session of sessions) {
      if (session.status === 'fulfilled') this.#sessions.end(session.value, 'shutdown');
    }
  }

  #begin(target: string): Promise<GateSession> {
    return this.#sessions.begin({
      claims: {
        agent: GATEWAY,
        onBehalfOf: GATEWAY,
        delegation: [],
        grant: 'system',
        role: 'system',
        target,
        protocol: 'postgresql',
      },
      transport: 'loopback',
      tokenExpiresAt: null,
      grant: { checkedIn: -1, expiresAt: 0 },
      origin: 'system',
    });
  }
}
