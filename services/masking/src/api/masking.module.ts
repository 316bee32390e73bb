import { type DynamicModule, Module } from '@nestjs/common';
import { ContextList } from './context-list.js';
import { TargetsController } from './targets.controller.js';

@Module({})
class Root {}

/** What the masking service answers by HTTP, beside health and metrics. */
export function maskingModule(contexts: ContextList): DynamicModule {
  return {
    module: Root,
    controllers: [TargetsController],
    providers: [{ provide: ContextList, useValue: contexts }],
  };
}
