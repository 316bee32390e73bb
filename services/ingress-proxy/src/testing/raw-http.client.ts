import { connect } from 'node:net';

/** An answer as it came over the wire. */
export interface RawAnswer {
  readonly status: number;
  readonly headers: ReadonlyMap<string, string>;
  readonly body: string;
}

const PATIENCE = 20_000;

/** Sends bytes on a connection of their own, and gives every answer until the other end closes it. */
export async function rawExchange(
  port: number,
  bytes: string | Buffer,
  { halfClose = false }: { readonly halfClose?: boolean } = {},
): Promise<readonly RawAnswer[]> {
  const socket = connect(port, '127.0.0.1');
  const chunks: Buffer[] = [];
  socket.on('data', (chunk) => chunks.push(chunk)).on('error', () => undefined);
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const timer = setTimeout(() => reject(new Error('The connection stays open.')), PATIENCE);
  socket.once('close', () => resolve());
  if (halfClose) socket.end(bytes);
  else socket.write(bytes);
  try {
    await promise;
  } finally {
    clearTimeout(timer);
    socket.destroy();
  }
  return answersIn(Buffer.concat(chunks).toString('latin1'));
}

function answersIn(text: string): readonly RawAnswer[] {
  const answers: RawAnswer[] = [];
  let rest = text;
  while (rest !== '') {
    const end = rest.indexOf('\r\n\r\n');
    if (end < 0) break;
    const [line = '', ...lines] = rest.slice(0, end).split('\r\n');
    const headers = new Map(
      lines.map((one) => {
        const colon = one.indexOf(':');
        return [one.slice(0, colon).toLowerCase(), one.slice(colon + 1).trim()] as const;
      }),
    );
    const length = Number(headers.get('content-length') ?? rest.length);
    answers.push({
      status: Number(line.split(' ')[1]),
      headers,
      body: rest.slice(end + 4, end + 4 + length),
    });
    rest = rest.slice(end + 4 + length);
  }
  return answers;
}
