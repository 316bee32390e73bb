import { CountersignError, toCountersignError } from '@countersign/errors';
import { Controller, Get, HttpCode, Inject, Param, Post, Query, UseGuards } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { z } from 'zod';
import type { Actor } from '../aggregate/index.js';
import { Listing, Requests } from '../requests/index.js';
import { Attempts, Refusals } from '../tokens/index.js';
import { Asker, BearerGuard } from './bearer.guard.js';
import { approvalPage, identified } from './shapes.js';

type Identified = z.output<typeof identified>;

@Controller('v1/approvals')
@UseGuards(BearerGuard)
@ApiBearerAuth()
@ApiTags('approvals')
export class ApprovalsController {
  readonly #requests: Requests;
  readonly #listing: Listing;
  readonly #attempts: Attempts;
  readonly #refusals: Refusals;

  constructor(
    @Inject(Requests) requests: Requests,
    @Inject(Listing) listing: Listing,
    @Inject(Attempts) attempts: Attempts,
    @Inject(Refusals) refusals: Refusals,
  ) {
    this.#requests = requests;
    this.#listing = listing;
    this.#attempts = attempts;
    this.#refusals = refusals;
  }

  @Get()
  @ApiOperation({ summary: 'Approvals, newest first; all for a role, otherwise those one is party to' })
  async list(
    @Asker() asker: Actor,
    @Query({ schema: approvalPage }) page: z.output<typeof approvalPage>,
  ): Promise<unknown> {
    const { status, cursor: before = null, limit } = page;
    return await this.#listing.list(asker, { status, before, limit });
  }

  @Get(':id')
  @ApiOperation({ summary: 'One approval with its facts, without the statement' })
  async find(@Asker() asker: Actor, @Param({ schema: identified }) { id }: Identified): Promise<unknown> {
    const found = await this.#listing.find(asker, id);
    if (found === null) throw new CountersignError('approval.unknown');
    return found;
  }

  @Get(':id/statement')
  @ApiOperation({
    summary: 'The exact statement and parameters, for an eligible approver; the look is recorded',
  })
  async statement(
    @Asker() asker: Actor,
    @Param({ schema: identified }) { id }: Identified,
  ): Promise<unknown> {
    return await this.#limited(asker, () => this.#requests.statement(id, asker));
  }

  @Post(':id/approve')
  @HttpCode(200)
  @ApiOperation({ summary: 'Approve: a person with the role approver who is not the requester' })
  async approve(@Asker() asker: Actor, @Param({ schema: identified }) { id }: Identified): Promise<unknown> {
    return await this.#answer(id, 'approve', asker);
  }

  @Post(':id/deny')
  @HttpCode(200)
  @ApiOperation({ summary: 'Deny: a person with the role approver who is not the requester' })
  async deny(@Asker() asker: Actor, @Param({ schema: identified }) { id }: Identified): Promise<unknown> {
    return await this.#answer(id, 'deny', asker);
  }

  async #answer(id: string, verdict: 'approve' | 'deny', asker: Actor): Promise<unknown> {
    const approval = await this.#limited(asker, () => this.#requests.answer(id, verdict, asker));
    const { status, approver, decidedAt, expiresAt } = approval;
    return { id, status, approver, decidedAt, expiresAt };
  }

  /** Each refusal becomes an event; who is refused all the time must wait, and is then only counted. */
  async #limited<Result>(asker: Actor, work: () => Promise<Result>): Promise<Result> {
    if (this.#attempts.exhausted(asker.id, performance.now())) {
      await this.#refusals.record({ principal: asker.id, code: 'auth.too_many_attempts' });
      throw new CountersignError('auth.too_many_attempts');
    }
    try {
      return await work();
    } catch (thrown) {
      const error = toCountersignError(thrown);
      if (error.entry.http < 500) this.#attempts.refused(asker.id, performance.now());
      throw error;
    }
  }
}
