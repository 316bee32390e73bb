import { CountersignError } from '@countersign/errors';
import { Controller, Get, Inject } from '@nestjs/common';
import { ApiOkResponse, ApiProperty, ApiTags } from '@nestjs/swagger';
import { ActivePolicy } from '../bundle/index.js';

class PolicyDescription {
  @ApiProperty({ description: 'digest of the policy sources, as events name it', example: 'sha256:…' })
  readonly policyDigest: string;
  @ApiProperty({ description: 'digest of the compiled bundle', example: 'sha256:…' })
  readonly bundleDigest: string;

  constructor(policyDigest: string, bundleDigest: string) {
    this.policyDigest = policyDigest;
    this.bundleDigest = bundleDigest;
  }
}

/** Says which policy decides. */
@ApiTags('policy')
@Controller('policy')
export class PolicyController {
  readonly #active: ActivePolicy;

  constructor(@Inject(ActivePolicy) active: ActivePolicy) {
    this.#active = active;
  }

  @Get()
  @ApiOkResponse({ type: PolicyDescription, description: 'The policy that decides now.' })
  describe(): PolicyDescription {
    const policy = this.#active.current;
    if (policy === null) throw new CountersignError('policy.unavailable');
    return new PolicyDescription(policy.policyDigest, policy.bundleDigest);
  }
}
