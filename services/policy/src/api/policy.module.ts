import { type DynamicModule, Module } from '@nestjs/common';
import { ActivePolicy } from '../bundle/index.js';
import { PolicyController } from './policy.controller.js';

@Module({})
class PolicyModule {}

/** What the policy service answers by HTTP, beside health and metrics. */
export function policyModule(active: ActivePolicy): DynamicModule {
  return {
    module: PolicyModule,
    controllers: [PolicyController],
    providers: [{ provide: ActivePolicy, useValue: active }],
  };
}
