import { runService } from '@countersign/service-kit';
import { configuration } from './configuration.js';
import { start } from './service.module.js';

await runService({ name: 'policy', schema: configuration, start });
