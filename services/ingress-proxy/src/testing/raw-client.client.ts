import { connect, type Socket } from 'node:net';

/** One message as it came from the ingress. */
export interface RawMessage {
  readonly type: string;
  readonly body: Buffer;
}

/** A client that sends whatever bytes it is told to. */
export class RawClient {
  readonly #socket: Socket;
  #received = Buffer.alloc(0);
  #closed = false;
  #cancelKey: Buffer | null = null;
  #wake = (): void => undefined;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', (chunk) => {
      this.#received = Buffer.concat([this.#received, chunk]);
      this.#wake();
    });
    socket.on('error', () => undefined);
    socket.on('close', () => {
      this.#closed = true;
      this.#wake();
    });
  }

  static async open(port: number, host = '127.0.0.1'): Promise<RawClient> {
    const socket = connect(port, host);
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', () => resolve()).once('error', reject);
    });
    return new RawClient(socket);
  }

  get socket(): Socket {
    return this.#socket;
  }

  send(bytes: Buffer | string): void {
    this.#socket.write(typeof bytes === 'string' ? Buffer.from(bytes.replaceAll(' ', ''), 'hex') : bytes);
  }

  message(type: string, ...fields: readonly (string | Buffer)[]): void {
    const body = Buffer.concat(
      fields.map((field) => (typeof field === 'string' ? Buffer.from(`${field}\0`) : field)),
    );
    const head = Buffer.alloc(5);
    head.write(type, 0, 'latin1');
    head.writeInt32BE(body.length + 4, 1);
    this.send(Buffer.concat([head, body]));
  }

  startup(parameters: Readonly<Record<string, string>>, version = 196608): void {
    const fields = Object.entries(parameters).map(([name, value]) => Buffer.from(`${name}\0${value}\0`));
    const body = Buffer.concat([...fields, Buffer.from([0])]);
    const head = Buffer.alloc(8);
    head.writeInt32BE(body.length + 8, 0);
    head.writeInt32BE(version, 4);
    this.send(Buffer.concat([head, body]));
  }

  /** One byte outside the framing, as in answers to requests for TLS. */
  async byte(): Promise<string> {
    await this.#until(() => this.#received.length > 0);
    const byte = this.#received.toString('latin1', 0, 1);
    this.#received = this.#received.subarray(1);
    return byte;
  }

  /** The next message, or null once the ingress has closed the connection. */
  async next(): Promise<RawMessage | null> {
    await this.#until(
      () => this.#received.length >= 5 && this.#received.length > this.#received.readInt32BE(1),
    );
    if (this.#received.length < 5) return null;
    const length = this.#received.readInt32BE(1);
    const message = {
      type: this.#received.toString('latin1', 0, 1),
      body: this.#received.subarray(5, length + 1),
    };
    this.#received = this.#received.subarray(length + 1);
    return message;
  }

  /** Messages up to one of a type, or to the end. */
  async until(type: string): Promise<readonly RawMessage[]> {
    const messages: RawMessage[] = [];
    for (let message = await this.next(); message !== null; message = await this.next()) {
      messages.push(message);
      if (message.type === type) break;
    }
    return messages;
  }

  /** Messages until the answer to a last query with the text `the end` is complete, or the connection ends. */
  async untilTheEnd(): Promise<readonly RawMessage[]> {
    const messages: RawMessage[] = [];
    let last = false;
    for (let message = await this.next(); message !== null; message = await this.next()) {
      messages.push(message);
      last ||= message.type === 'D' && message.body.includes('the end');
      if (last && message.type === 'Z') break;
    }
    return messages;
  }

  async signIn(user: string, database: string, token: string): Promise<void> {
    this.startup({ user, database });
    await this.until('R');
    this.message('p', token);
    const messages = await this.until('Z');
    this.#cancelKey = messages.find(({ type }) => type === 'K')?.body ?? null;
  }

  /** Process id and secret, as the ingress told them at the start. */
  get cancelKey(): Buffer {
    if (this.#cancelKey === null) throw new Error('the ingress told no key');
    return this.#cancelKey;
  }

  /** Sends a cancel request on a connection of its own, and waits until the ingress has taken it. */
  static async cancel(port: number, key: Buffer): Promise<void> {
    const client = await RawClient.open(port);
    const head = Buffer.alloc(8);
    head.writeInt32BE(8 + key.length, 0);
    head.writeInt32BE(80877102, 4);
    client.send(Buffer.concat([head, key]));
    await client.until('none');
  }

  close(): void {
    this.#socket.destroy();
  }

  async #until(condition: () => boolean): Promise<void> {
    while (!condition() && !this.#closed) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}

/** The code of the catalogue in an ErrorResponse. */
export function codeOf(message: RawMessage | undefined | null): string {
  return fieldOf(message, 'R');
}

export function fieldOf(message: RawMessage | undefined | null, letter: string): string {
  const field = message?.body
    .toString('utf8')
    .split('\0')
    .find((part) => part.startsWith(letter));
  return field?.slice(1) ?? '';
}
