import { runService } from '@countersign/service-kit';
import { startApproval } from './approval.server.js';
import { approvalConfiguration } from './configuration.js';

await runService({ name: 'approval', schema: approvalConfiguration, start: startApproval });
