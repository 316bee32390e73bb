/** The few messages of the PostgreSQL protocol that load is made of. */

function message(type: string, ...parts: readonly Buffer[]): Buffer {
  const body = Buffer.concat(parts);
  const head = Buffer.alloc(5);
  head.write(type, 0, 'latin1');
  head.writeInt32BE(body.length + 4, 1);
  return Buffer.concat([head, body]);
}

const cstring = (text: string): Buffer => Buffer.from(`${text}\0`);

const int16 = (value: number): Buffer => {
  const bytes = Buffer.alloc(2);
  bytes.writeInt16BE(value);
  return bytes;
};

const int32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
};

const sync = message('S');
const describePortal = message('D', cstring('P'));
const execute = message('E', cstring(''), int32(0));

export const query = (text: string): Buffer => message('Q', cstring(text));

export const prepare = (name: string, text: string): Buffer =>
  Buffer.concat([message('P', cstring(name), cstring(text), int16(0)), sync]);

/** What libpq sends for PQexecPrepared: Bind, Describe, Execute, Sync, all in text format. */
export function run(name: string, parameters: readonly string[]): Buffer {
  const values = parameters.flatMap((value) => [int32(Buffer.byteLength(value)), Buffer.from(value)]);
  const bind = message(
    'B',
    cstring(''),
    cstring(name),
    int16(0),
    int16(parameters.length),
    ...values,
    int16(0),
  );
  return Buffer.concat([bind, describePortal, execute, sync]);
}
