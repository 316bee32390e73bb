import { runService } from '@countersign/service-kit';
import { configuration } from './configuration.js';
import { startEvidence } from './evidence.server.js';

await runService({ name: 'evidence', schema: configuration, start: startEvidence });
