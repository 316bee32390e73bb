import type { Socket } from 'node:net';
import { CountersignError } from '@countersign/errors';
import { type AnyFrame, FrameParser, type FramingRules } from './codec/index.js';

export interface ChannelOptions {
  readonly rules: FramingRules;
  /** Whether the first packet has no type byte. */
  readonly untyped: boolean;
  readonly untypedMaximum?: number;
  /** Bytes read ahead before the peer has to wait. */
  readonly highWater?: number;
  /** Milliseconds that a peer may leave written bytes unread before it is given up. */
  readonly stallMilliseconds: number;
}

/**
 * A socket as a queue of messages with back-pressure both ways: it reads no further while messages wait to be taken,
 * and `drained` holds whoever writes while the peer does not read. Nothing is kept beyond the socket's own buffers.
 */
export class Channel {
  readonly #parser: FrameParser;
  readonly #highWater: number;
  readonly #stallMilliseconds: number;
  #socket: Socket;
  #failure: unknown = null;
  #ended = false;
  #corked = false;
  #waiting: { resolve: () => void; timer: NodeJS.Timeout | null } | null = null;
  readonly #closed = new AbortController();
  readonly #listeners = {
    data: (chunk: Buffer): void => {
      if (this.#failure !== null) return;
      this.#parser.push(chunk);
      // While nobody reads, bytes are kept up to a mark; then the peer waits.
      if (this.#waiting === null && this.#parser.buffered > this.#highWater) this.#socket.pause();
      this.#wake();
    },
    end: (): void => this.#close(),
    error: (): void => this.#close(),
    close: (): void => this.#close(),
  } as const;

  constructor(socket: Socket, options: ChannelOptions) {
    this.#socket = socket;
    this.#parser = new FrameParser({
      rules: options.rules,
      untyped: options.untyped,
      untypedMaximum: options.untypedMaximum ?? 0,
    });
    this.#highWater = options.highWater ?? 256 * 1024;
    this.#stallMilliseconds = options.stallMilliseconds;
    this.#listen(socket);
  }

  /** Aborts once the peer is gone or `destroy` was called. */
  get closed(): AbortSignal {
    return this.#closed.signal;
  }

  /** From now on messages carry a type byte. */
  expectTyped(rules: FramingRules): void {
    this.#parser.expectTyped(rules);
  }

  /** Whether bytes came that belong to no message handed out yet. */
  get hasPendingBytes(): boolean {
    return this.#parser.buffered > 0;
  }

  /** A message that is already here. */
  take(): AnyFrame | null {
    const next = this.#cut();
    if (next === null && this.#failure === null && this.#socket.isPaused()) this.#socket.resume();
    return next;
  }

  /**
   * The next message; null once the peer has ended. Throws what the peer did wrong, and `protocol.timeout` after
   * `milliseconds`.
   */
  async read(milliseconds?: number): Promise<AnyFrame | null> {
    for (;;) {
      const frame = this.take();
      if (frame !== null) return frame;
      if (this.#failure !== null) throw this.#failure;
      if (this.#ended) return null;
      await this.#wait(milliseconds);
    }
  }

  /** Queues bytes for the peer. What is written in one turn of the event loop leaves as one packet. */
  write(bytes: Buffer): void {
    const socket = this.#socket;
    if (socket.destroyed || !socket.writable) return;
    if (!this.#corked) {
      this.#corked = true;
      socket.cork();
      process.nextTick(() => {
        this.#corked = false;
        socket.uncork();
      });
    }
    socket.write(bytes);
  }

  get needsDrain(): boolean {
    return this.#socket.writableNeedDrain;
  }

  /** Waits until the peer has read enough. Throws `protocol.timeout` where it does not, and returns when it is gone. */
  async drained(): Promise<void> {
    if (!this.#socket.writableNeedDrain || this.#socket.destroyed) return;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const timer = setTimeout(() => reject(new CountersignError('protocol.timeout')), this.#stallMilliseconds);
    const socket = this.#socket;
    const done = (): void => resolve();
    socket.once('drain', done).once('close', done);
    try {
      await promise;
    } finally {
      clearTimeout(timer);
      socket.off('drain', done).off('close', done);
    }
  }

  /** Hands the raw socket over, for TLS; the channel goes on with what `attach` gives it. */
  detach(): Socket {
    const socket = this.#socket;
    for (const [event, listener] of Object.entries(this.#listeners)) socket.off(event, listener);
    socket.on('error', ignore);
    return socket;
  }

  attach(socket: Socket): void {
    this.#socket = socket;
    this.#listen(socket);
  }

  /** Sends what is queued, then ends. */
  end(): void {
    if (this.#socket.destroyed) return;
    this.#socket.end();
    // A peer that never closes its side does not keep the socket.
    const timer = setTimeout(() => this.#socket.destroy(), 2_000);
    timer.unref();
    this.#socket.once('close', () => clearTimeout(timer));
    this.#socket.resume();
  }

  destroy(): void {
    this.#socket.destroy();
    this.#close();
  }

  #listen(socket: Socket): void {
    socket.setNoDelay(true);
    for (const [event, listener] of Object.entries(this.#listeners)) socket.on(event, listener);
  }

  #cut(): AnyFrame | null {
    if (this.#failure !== null) return null;
    try {
      return this.#parser.next();
    } catch (thrown) {
      this.#failure = thrown;
      this.#socket.pause();
      return null;
    }
  }

  async #wait(milliseconds: number | undefined): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const timer =
      milliseconds === undefined
        ? null
        : setTimeout(() => {
            this.#waiting = null;
            reject(new CountersignError('protocol.timeout'));
          }, milliseconds);
    this.#waiting = { resolve, timer };
    if (this.#socket.isPaused()) this.#socket.resume();
    await promise;
  }

  #wake(): void {
    const waiting = this.#waiting;
    if (waiting === null) return;
    this.#waiting = null;
    if (waiting.timer !== null) clearTimeout(waiting.timer);
    waiting.resolve();
  }

  #close(): void {
    this.#ended = true;
    this.#closed.abort();
    this.#wake();
  }
}

function ignore(): void {
  // An error of a socket that was handed over is met where it is used.
}
