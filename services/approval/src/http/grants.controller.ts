import { Body, Controller, Get, HttpCode, Inject, Param, Post, Query, UseGuards } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { z } from 'zod';
import type { Actor } from '../aggregate/index.js';
import { Grants } from '../grants/index.js';
import { Asker, BearerGuard } from './bearer.guard.js';
import { Clock } from './clock.js';
import { grantPage, grantWish, identified } from './shapes.js';

@Controller('v1/grants')
@UseGuards(BearerGuard)
@ApiBearerAuth()
@ApiTags('grants')
export class GrantsController {
  readonly #grants: Grants;
  readonly #clock: Clock;

  constructor(@Inject(Grants) grants: Grants, @Inject(Clock) clock: Clock) {
    this.#grants = grants;
    this.#clock = clock;
  }

  @Get()
  @ApiOperation({ summary: 'Grants, newest first; all for a role, otherwise those one is party to' })
  async list(
    @Asker() asker: Actor,
    @Query({ schema: grantPage }) page: z.output<typeof grantPage>,
  ): Promise<unknown> {
    const { status, cursor: before = null, limit } = page;
    return await this.#grants.list(asker, { status, before, limit });
  }

  @Post()
  @ApiOperation({ summary: 'Ask for a grant: an agent for itself, a person for an agent acting for them' })
  async request(
    @Asker() asker: Actor,
    @Body({ schema: grantWish }) body: z.output<typeof grantWish>,
  ): Promise<unknown> {
    return await this.#grants.request(body, asker, this.#clock.seconds());
  }

  @Post(':id/activate')
  @HttpCode(200)
  @ApiOperation({ summary: 'Activate a grant: an administrator or approver who is not party to it' })
  async activate(
    @Asker() asker: Actor,
    @Param({ schema: identified }) { id }: z.output<typeof identified>,
  ): Promise<unknown> {
    return await this.#grants.activate(id, asker, this.#clock.seconds());
  }

  @Post(':id/revoke')
  @HttpCode(200)
  @ApiOperation({ summary: 'Revoke a grant, for good: an administrator, an approver, or who is party to it' })
  async revoke(
    @Asker() asker: Actor,
    @Param({ schema: identified }) { id }: z.output<typeof identified>,
  ): Promise<unknown> {
    return await this.#grants.revoke(id, asker, this.#clock.seconds());
  }
}
