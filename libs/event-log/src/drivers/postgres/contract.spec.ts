import { startPostgres } from '@countersign/testing';
import { eventLogContract } from '../../contract/index.js';
import { openPostgresEventLog } from './index.js';

eventLogContract('PostgreSQL', async () => {
  const postgres = await startPostgres();
  return {
    open: () => openPostgresEventLog(postgres.url()),
    createTopics: async () => undefined,
    kill: postgres.kill,
    restart: postgres.restart,
    stop: postgres.stop,
  };
});
