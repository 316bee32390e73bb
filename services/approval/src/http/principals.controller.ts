import { CountersignError } from '@countersign/errors';
import { Body, Controller, Get, HttpCode, Inject, Param, Post, Query, UseGuards } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { z } from 'zod';
import { type Actor, holds } from '../aggregate/index.js';
import { type ListedPrincipal, type Principal, Principals, readPublicKey } from '../principals/index.js';
import { Asker, BearerGuard } from './bearer.guard.js';
import { Clock } from './clock.js';
import { enrolment, principalNamed, principalPage, rotation } from './shapes.js';
import { randomSlug } from './slug.store.js';

const shown = ({ key, thumbprint, ...principal }: Principal) => ({
  ...principal,
  publicKey: key,
  keyThumbprint: thumbprint,
});

@Controller('v1/principals')
@UseGuards(BearerGuard)
@ApiBearerAuth()
@ApiTags('principals')
export class PrincipalsController {
  readonly #principals: Principals;
  readonly #clock: Clock;

  constructor(@Inject(Principals) principals: Principals, @Inject(Clock) clock: Clock) {
    this.#principals = principals;
    this.#clock = clock;
  }

  @Get()
  @ApiOperation({ summary: 'Enrolled principals by id; all for a role, otherwise only the own one' })
  async list(
    @Asker() asker: Actor,
    @Query({ schema: principalPage }) page: z.output<typeof principalPage>,
  ): Promise<unknown> {
    if (!holds(asker, 'administrator', 'auditor', 'approver')) {
      const own = await this.#principals.find(asker.id);
      return { principals: own === null ? [] : [shown(own)], next: null };
    }
    const found = await this.#principals.list(page.cursor ?? '', page.limit + 1);
    const principals: ListedPrincipal[] = found.slice(0, page.limit);
    return {
      principals: principals.map(shown),
      next: found.length > page.limit ? (principals.at(-1)?.id ?? null) : null,
    };
  }

  @Post()
  @ApiOperation({ summary: 'Enrol an agent or a person; administrators only' })
  async enrol(
    @Asker() asker: Actor,
    @Body({ schema: enrolment }) body: z.output<typeof enrolment>,
  ): Promise<unknown> {
    const { kind, roles } = body;
    const id = body.id ?? `${kind}:${randomSlug()}`;
    if (!id.startsWith(`${kind}:`)) {
      throw new CountersignError('request.invalid', { detail: `id: must begin with ${kind}:.` });
    }
    const wanted = { id, kind, roles, key: readPublicKey(body.publicKey) };
    return shown(await this.#principals.enrol(wanted, asker, this.#clock.seconds()));
  }

  @Post(':id/rotate')
  @HttpCode(200)
  @ApiOperation({ summary: 'Replace the key of a principal; administrators only' })
  async rotate(
    @Asker() asker: Actor,
    @Param({ schema: principalNamed }) { id }: z.output<typeof principalNamed>,
    @Body({ schema: rotation }) body: z.output<typeof rotation>,
  ): Promise<unknown> {
    const key = readPublicKey(body.publicKey);
    return shown(await this.#principals.rotate(id, key, asker, this.#clock.seconds()));
  }

  @Post(':id/disable')
  @HttpCode(200)
  @ApiOperation({ summary: 'Disable a principal and revoke its grants, for good; administrators only' })
  async disable(
    @Asker() asker: Actor,
    @Param({ schema: principalNamed }) { id }: z.output<typeof principalNamed>,
  ): Promise<unknown> {
    return shown(await this.#principals.disable(id, asker, this.#clock.seconds()));
  }
}
