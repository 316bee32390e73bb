import { Readable } from 'node:stream';
import { toProblem } from '@countersign/errors';
import { Controller, Get, Header, Inject, Req, Res, StreamableFile } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiTags } from '@nestjs/swagger';
import { catalogued } from './failures.js';
import { Library } from './library.store.js';
import type { ApiAnswer, ApiRequest } from './messages.js';
import { Tallied } from './reading.interceptor.js';

@ApiTags('log')
@ApiBearerAuth()
@Controller()
export class LogController {
  readonly #library: Library;

  constructor(@Inject(Library) library: Library) {
    this.#library = library;
  }

  @Get('checkpoint')
  @Header('Content-Type', 'text/plain; charset=utf-8')
  @Tallied()
  @ApiOperation({ summary: 'The newest signed checkpoint (C2SP tlog-checkpoint)' })
  async checkpoint(): Promise<string> {
    return (await this.#library.checkpoint()).note;
  }

  @Get('tile/*path')
  @Tallied()
  @ApiOperation({ summary: 'A tile of hashes, or of entries below tile/entries/ (C2SP tlog-tiles)' })
  async tile(
    @Req() request: ApiRequest,
    @Res({ passthrough: true }) answer: ApiAnswer,
  ): Promise<StreamableFile> {
    const bytes = await this.#library.tile(request.path.slice(1));
    // A tile of a given width never changes; only its reader may keep it.
    answer.setHeader('Cache-Control', 'private, max-age=31536000, immutable');
    return new StreamableFile(bytes, { type: 'application/octet-stream' });
  }

  @Get('v1/dossier')
  @ApiOperation({
    summary: 'Everything up to the newest checkpoint as a dossier that proves itself (NDJSON)',
  })
  async dossier(@Res({ passthrough: true }) answer: ApiAnswer): Promise<StreamableFile> {
    // Before anything is sent, so that an empty log is a plain error.
    await this.#library.checkpoint();
    const stream = Readable.from(this.#library.dossier(), { objectMode: false, highWaterMark: 256 * 1024 });
    // A reader that goes away must not leave the database open behind it.
    answer.on('close', () => stream.destroy());
    return new StreamableFile(stream, {
      type: 'application/x-ndjson',
      disposition: 'attachment; filename="dossier.ndjson"',
    }).setErrorHandler((error) => {
      if (answer.headersSent) {
        // Half a dossier must not pass for a whole one; it also lacks its last line.
        answer.destroy();
        return;
      }
      const known = catalogued(error);
      answer.statusCode = known.entry.http;
      answer.setHeader('Content-Type', 'application/problem+json');
      answer.end(JSON.stringify(toProblem(known)));
    });
  }
}
