import { Socket } from 'node:net';
import pg from 'pg';

export interface Login {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly database: string;
}

const READY = 0x5a;
const ERROR = 0x45;
const ROW = 0x44;

/**
 * A connection that costs the measuring side as little as can be: a stock driver signs in, then bytes are written and
 * answers only counted. One exchange at a time.
 */
export class WireClient {
  readonly #socket: Socket;
  #rest: Buffer = Buffer.alloc(0);
  /** Bytes of the current message that have not come yet. */
  #skip = 0;
  #rows = 0;
  #failed = false;
  #waiting: { resolve: (rows: number) => void; reject: (error: Error) => void } | null = null;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.removeAllListeners();
    socket.on('data', (chunk) => this.#onData(chunk));
    const gone = (): void => this.#fail('the connection ended');
    socket.on('error', gone).on('close', gone);
  }

  static async open(login: Login): Promise<WireClient> {
    const socket = new Socket();
    const client = new pg.Client({ ...login, stream: () => socket });
    await client.connect();
    return new WireClient(socket);
  }

  /** Sends messages that end in a Sync or are a Query; resolves to the number of rows. Rejects on any error. */
  exchange(messages: Buffer): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
      this.#socket.write(messages);
    });
  }

  close(): void {
    this.#waiting = null;
    this.#socket.end(Buffer.from([0x58, 0, 0, 0, 4]));
  }

  #fail(reason: string): void {
    this.#waiting?.reject(new Error(reason));
    this.#waiting = null;
  }

  #onData(chunk: Buffer): void {
    const data = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    let at = Math.min(this.#skip, data.length);
    this.#skip -= at;
    while (data.length - at >= 5) {
      const type = data[at];
      const end = at + 1 + data.readInt32BE(at + 1);
      if (type === ROW) this.#rows += 1;
      else if (type === ERROR) this.#failed = true;
      else if (type === READY) this.#onReady();
      if (end > data.length) {
        this.#skip = end - data.length;
        at = data.length;
        break;
      }
      at = end;
    }
    this.#rest = data.subarray(at);
  }

  #onReady(): void {
    const waiting = this.#waiting;
    const rows = this.#rows;
    this.#rows = 0;
    if (this.#failed) this.#fail('the statement was refused');
    this.#waiting = null;
    waiting?.resolve(rows);
  }
}
