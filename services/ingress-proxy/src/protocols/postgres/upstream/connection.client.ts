import { randomBytes } from 'node:crypto';
import { CountersignError } from '@countersign/errors';
import { isLoopback } from '../../../session/index.js';
import { Channel } from '../channel.driver.js';
import {
  backendTypes,
  decodeAuthentication,
  decodeBackendKey,
  decodeParameterStatus,
  decodeReady,
  decodeReport,
  type Frame,
  isDropped,
  type TransactionStatus,
  targetRules,
  toTarget,
} from '../codec/index.js';
import { scramExchange } from './scram.js';
import { openTargetSocket, type TargetAddress } from './socket.client.js';

/** How the gateway signs in to a target. */
export interface TargetLogin extends TargetAddress {
  readonly database: string;
  readonly user: string;
  /** Null where the target asks for none. */
  readonly password: string | null;
  /** Settings of the session: startup parameters, so that they are no statements. */
  readonly settings: Readonly<Record<string, string>>;
}

export interface ConnectionLimits {
  readonly connectMilliseconds: number;
  /** Bytes of the largest message that is read from a target: one row, in practice. */
  readonly maximumMessage: number;
}

/** What happens to the messages of one exchange. */
export interface ExchangeHandler {
  /** Must not throw and must not wait. */
  onFrame(frame: Frame): void;
  /** Called when no message is at hand: the moment to hand on what was collected, and to wait for a slow reader. */
  onTurn(): Promise<void> | null;
}

/** What ends the answer to an Execute. */
const ENDS_OF_ANSWERS: ReadonlySet<number> = new Set([
  backendTypes.commandComplete,
  backendTypes.emptyQuery,
  backendTypes.error,
  backendTypes.portalSuspended,
]);

/** One signed-in connection to a target. One exchange at a time. */
export class TargetConnection {
  readonly parameters = new Map<string, string>();
  readonly #channel: Channel;
  readonly #login: TargetLogin;
  readonly #limits: ConnectionLimits;
  #key: { processId: number; secret: Buffer } | null = null;
  #status: TransactionStatus = 'I';

  private constructor(channel: Channel, login: TargetLogin, limits: ConnectionLimits) {
    this.#channel = channel;
    this.#login = login;
    this.#limits = limits;
  }

  /** Connects and signs in. Throws target.unavailable, with the target's reason as cause for the log alone. */
  static async open(login: TargetLogin, limits: ConnectionLimits): Promise<TargetConnection> {
    const socket = await openTargetSocket(login, limits.connectMilliseconds);
    const channel = new Channel(socket, {
      rules: targetRules(limits.maximumMessage),
      untyped: false,
      stallMilliseconds: limits.connectMilliseconds,
    });
    const connection = new TargetConnection(channel, login, limits);
    try {
      await connection.#signIn();
      return connection;
    } catch (cause) {
      channel.destroy();
      throw new CountersignError('target.unavailable', { cause });
    }
  }

  get status(): TransactionStatus {
    return this.#status;
  }

  /** Aborts once the connection is gone. */
  get closed(): AbortSignal {
    return this.#channel.closed;
  }

  /**
   * Sends messages that end in Sync and hands over the answers until the target is ready; or messages that end in Flush,
   * and hands over the answers until that of an Execute has come to its end.
   * Throws target.connection_lost where the answer does not come to its end, protocol errors where it is none.
   */
  async exchange(
    messages: Buffer,
    handler: ExchangeHandler,
    until: 'ready' | 'answered' = 'ready',
  ): Promise<TransactionStatus> {
    if (this.#channel.closed.aborted) throw new CountersignError('target.connection_lost');
    this.#channel.write(messages);
    for (;;) {
      let frame = this.#channel.take();
      if (frame === null) {
        const turn = handler.onTurn();
        if (turn !== null) await turn;
        frame = await this.#channel.read();
      }
      if (frame === null || isDropped(frame)) throw new CountersignError('target.connection_lost');
      switch (frame.type) {
        case backendTypes.ready: {
          this.#status = decodeReady(frame);
          const turn = handler.onTurn();
          if (turn !== null) await turn;
          return this.#status;
        }
        case backendTypes.parameterStatus:
          this.#remember(frame);
          break;
        // What a target says beside the answer may hold values of rows: nobody hears it.
        case backendTypes.notice:
        case backendTypes.notification:
          break;
        default:
          handler.onFrame(frame);
          if (until === 'ready' || !ENDS_OF_ANSWERS.has(frame.type)) break;
          await handler.onTurn();
          return this.#status;
      }
    }
  }

  /** More bytes within an exchange. */
  write(bytes: Buffer): void {
    this.#channel.write(bytes);
  }

  /**
   * Asks the target to stop what this connection runs. Resolves when the target has taken note (it then closes the
   * connection of the request), or after a while; what runs may have ended before.
   */
  async cancel(): Promise<void> {
    if (this.#key === null) return;
    const socket = await openTargetSocket(this.#login, this.#limits.connectMilliseconds);
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(() => socket.destroy(), this.#limits.connectMilliseconds);
    socket.on('error', () => undefined).once('close', () => resolve());
    socket.write(toTarget.cancelRequest(this.#key.processId, this.#key.secret));
    socket.resume();
    await promise;
    clearTimeout(timer);
  }

  close(): void {
    this.#channel.write(toTarget.terminate);
    this.#channel.end();
  }

  destroy(): void {
    this.#channel.destroy();
  }

  async #signIn(): Promise<void> {
    const { user, database, settings } = this.#login;
    this.#channel.write(toTarget.startup({ user, database, ...settings }));
    await this.#authenticate();
    for (;;) {
      const frame = await this.#read();
      if (frame.type === backendTypes.ready) return;
      if (frame.type === backendTypes.parameterStatus) this.#remember(frame);
      else if (frame.type === backendTypes.backendKeyData) this.#key = decodeBackendKey(frame);
      else if (frame.type !== backendTypes.notice) throw new Error('unexpected message while signing in');
    }
  }

  async #authenticate(): Promise<void> {
    let exchange: ReturnType<typeof scramExchange> | null = null;
    let verify: ((serverFinal: string) => void) | null = null;
    let proven = false;
    for (;;) {
      const frame = await this.#read();
      if (frame.type === backendTypes.negotiate) continue;
      if (frame.type !== backendTypes.authentication)
        throw new Error('unexpected message instead of a challenge');
      const request = decodeAuthentication(frame);
      switch (request.kind) {
        case 'ok':
          // A server that asked for SCRAM must also have proved that it knows the password.
          if (exchange !== null && !proven) throw new Error('the target did not prove itself');
          return;
        case 'password':
          if (!isPrivate(this.#login))
            throw new Error('the target asks for a clear-text password without TLS');
          this.#channel.write(toTarget.password(this.#password()));
          break;
        case 'sasl':
          if (!request.mechanisms.includes('SCRAM-SHA-256'))
            throw new Error('the target offers no SCRAM-SHA-256');
          exchange = scramExchange(this.#password(), randomBytes(24).toString('base64'));
          this.#channel.write(toTarget.saslInitial('SCRAM-SHA-256', exchange.first));
          break;
        case 'sasl-continue': {
          if (exchange === null || verify !== null) throw new Error('a challenge out of order');
          const final = await exchange.final(request.data);
          verify = final.verify;
          this.#channel.write(toTarget.saslResponse(final.message));
          break;
        }
        case 'sasl-final':
          if (verify === null) throw new Error('a challenge out of order');
          verify(request.data);
          proven = true;
          break;
        default:
          throw new Error(`authentication method ${request.code} is not supported`);
      }
    }
  }

  #password(): string {
    if (this.#login.password === null)
      throw new Error('the target asks for a password and none is configured');
    return this.#login.password;
  }

  async #read(): Promise<Frame> {
    const frame = await this.#channel.read(this.#limits.connectMilliseconds);
    if (frame === null || isDropped(frame)) throw new Error('the target closed the connection');
    if (frame.type === backendTypes.error) {
      throw new Error(`the target refused the connection, SQLSTATE ${decodeReport(frame).sqlstate}`);
    }
    return frame;
  }

  #remember(frame: Frame): void {
    const { name, value } = decodeParameterStatus(frame);
    this.parameters.set(name, value);
  }
}

/** Whether what is written cannot be read on the way. */
function isPrivate(address: TargetAddress): boolean {
  return address.tls !== null || address.host.startsWith('/') || isLoopback(address.host);
}
