import { CountersignError } from '@countersign/errors';
import { Controller, Get, Inject, Param, Query } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { z } from 'zod';
import { findingQuery, recordQuery } from '../records/index.js';
import { Library } from './library.store.js';

@ApiTags('evidence')
@ApiBearerAuth()
@Controller('v1')
export class EvidenceController {
  readonly #library: Library;

  constructor(@Inject(Library) library: Library) {
    this.#library = library;
  }

  @Get('controls')
  @ApiOperation({ summary: 'The controls, what records show of each, and what they do not' })
  controls() {
    return { controls: this.#library.controls() };
  }

  @Get('controls/:edition/:number')
  @ApiOperation({
    summary: 'One control: /v1/controls/iso27001:2022/8.15, or its id in one percent-encoded part',
  })
  controlOfEdition(@Param('edition') edition: string, @Param('number') number: string) {
    return this.#library.control(`${edition}/${number}`);
  }

  @Get('controls/:id')
  @ApiOperation({ summary: 'One control, by its percent-encoded id' })
  control(@Param('id') id: string) {
    return this.#library.control(id);
  }

  @Get('records')
  @ApiOperation({ summary: 'Evidence records in the order of the log, a page at a time' })
  async records(@Query({ schema: recordQuery }) query: z.output<typeof recordQuery>) {
    return this.#library.records(query);
  }

  @Get('records/:id')
  @ApiOperation({
    summary: 'A record with its events and their inclusion proofs against the newest checkpoint',
  })
  async record(@Param('id') id: string) {
    if (!/^[a-z0-9-]{1,200}$/.test(id)) throw new CountersignError('evidence.record_unknown');
    return this.#library.record(id);
  }

  @Get('findings')
  @ApiOperation({ summary: 'What is wrong, and what has not arrived as of the newest checkpoint' })
  async findings(@Query({ schema: findingQuery }) query: z.output<typeof findingQuery>) {
    return this.#library.findings(query);
  }

  @Get('statistics')
  @ApiOperation({ summary: 'Counts of records by kind, verdict, control and finding' })
  async statistics() {
    return this.#library.statistics();
  }
}
