import { type DynamicModule, Module } from '@nestjs/common';
import { APP_GUARD, APP_INTERCEPTOR } from '@nestjs/core';
import type { Tokens } from '../auth/index.js';
import type { DossierSource } from '../export/index.js';
import type { Readings } from '../reading/index.js';
import { AuditorGuard } from './auditor.guard.js';
import { EvidenceController } from './evidence.controller.js';
import { Library } from './library.store.js';
import { LogController } from './log.controller.js';
import { ReadingInterceptor } from './reading.interceptor.js';
import { provided } from './tokens.js';

export interface EvidenceApiOptions {
  readonly source: DossierSource;
  readonly tokens: Tokens;
  readonly readings: Readings;
}

@Module({})
class EvidenceApi {}

/** The HTTP API of evidence. Every route is guarded and every reading recorded, also of routes that are added later. */
export function evidenceApi({ source, tokens, readings }: EvidenceApiOptions): DynamicModule {
  return {
    module: EvidenceApi,
    controllers: [EvidenceController, LogController],
    providers: [
      { provide: Library, useValue: new Library(source) },
      { provide: provided.tokens, useValue: tokens },
      { provide: provided.readings, useValue: readings },
      { provide: APP_GUARD, useClass: AuditorGuard },
      { provide: APP_INTERCEPTOR, useClass: ReadingInterceptor },
    ],
  };
}
