export { type Ingest, type IngestOptions, startIngest } from './ingest.worker.js';
export { type Candidate, takeIn } from './intake.js';
export { loadPositions } from './positions.store.js';
export { openWriter, StaleWriter, type Writer, type Written } from './writer.store.js';
