// Follows an event log until it is killed: a process of its own, so that it can be killed at any instant.
import { openEventLog } from '@countersign/event-log';
import { openDatabase } from '../database/index.js';
import { startIngest } from '../ingest/index.js';
import { loadCheckpointKey } from '../log/index.js';

const [
  database = '',
  eventLogUrl = '',
  origin = '',
  authorityFile = '',
  privateKeyFile = '',
  certificateFile = '',
] = process.argv.slice(2);

const { signal } = new AbortController();
const ingest = startIngest({
  pool: openDatabase({ url: database, connections: 2, onIdleError: () => undefined }),
  eventLog: await openEventLog(eventLogUrl),
  key: loadCheckpointKey({ origin, authorityFile, privateKeyFile, certificateFile }),
  signal,
  // Small, so that a kill falls within a batch more often.
  maxBatch: 20,
  onWritten: ({ size }) => process.stdout.write(`${size}\n`),
  onTrouble: (error) => process.stderr.write(`${String(error)}\n`),
  onPaused: (error) => process.stderr.write(`${String(error)}\n`),
});
await ingest.done;
