import { open } from 'node:fs/promises';
import { createGunzip } from 'node:zlib';
import { CountersignError } from '@countersign/errors';

/** The first two bytes of every gzip file (RFC 1952). */
const GZIP = Buffer.of(0x1f, 0x8b);

/**
 * Streams a file, unpacked if it is gzip by its content, whatever its name. Rejects with dossier.unavailable where the
 * file cannot be opened or read. What is packed wrongly ends where it can no longer be unpacked: a cut file still
 * shows what it holds.
 */
export async function* readDossierFile(path: string): AsyncGenerator<Uint8Array> {
  const file = await open(path).catch(unavailable);
  try {
    // A folder opens, and only reading tells.
    const { buffer, bytesRead } = await file.read(Buffer.alloc(2), 0, 2, 0).catch(unavailable);
    const packed = bytesRead === 2 && buffer.equals(GZIP);
    const stream = file.createReadStream({ start: 0, highWaterMark: 256 * 1024, autoClose: false });
    if (packed) yield* unpack(stream);
    else yield* stream;
  } finally {
    await file.close();
  }
}

async function* unpack(stream: NodeJS.ReadableStream): AsyncGenerator<Uint8Array> {
  const gunzip = createGunzip({ chunkSize: 256 * 1024 });
  stream.on('error', (error) => gunzip.destroy(error));
  stream.pipe(gunzip);
  try {
    yield* gunzip;
  } catch (error) {
    // A damaged or cut archive is a damaged or cut dossier; anything else is a fault of reading.
    if (!isZlibError(error)) throw error;
  }
}

function unavailable(cause: unknown): never {
  throw new CountersignError('dossier.unavailable', { cause });
}

function isZlibError(error: unknown): boolean {
  return error instanceof Error && 'code' in error && String(error.code).startsWith('Z_');
}
