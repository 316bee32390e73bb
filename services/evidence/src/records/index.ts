export { formatCursor, type Order, parseCursor } from './cursor.js';
export { type ProvenEvent, type ProvenRecord, proveRecord } from './proof.js';
export {
  type FindingQuery,
  findingQuery,
  type RecordFilter,
  type RecordQuery,
  recordQuery,
} from './query.js';
export { findRecord, findRecords, holdsId, type Page } from './records.store.js';
