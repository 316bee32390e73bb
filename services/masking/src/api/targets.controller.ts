import { Controller, Get, Inject } from '@nestjs/common';
import { ApiOkResponse, ApiProperty, ApiTags } from '@nestjs/swagger';
import { ContextList } from './context-list.js';

class TargetDescription {
  @ApiProperty({ description: 'name of the target' })
  readonly target: string;
  @ApiProperty({
    description: 'digest of the catalogue and labels in force, null until the catalogue was read',
    type: String,
    nullable: true,
  })
  readonly contextDigest: string | null;

  constructor(target: string, contextDigest: string | null) {
    this.target = target;
    this.contextDigest = contextDigest;
  }
}

/** Says which targets are masked. */
@ApiTags('masking')
@Controller('targets')
export class TargetsController {
  readonly #contexts: ContextList;

  constructor(@Inject(ContextList) contexts: ContextList) {
    this.#contexts = contexts;
  }

  @Get()
  @ApiOkResponse({ type: TargetDescription, isArray: true, description: 'The targets and their contexts.' })
  list(): TargetDescription[] {
    return this.#contexts.list().map(({ target, digest }) => new TargetDescription(target, digest));
  }
}
