export { type CheckpointKey, type CheckpointKeyFiles, loadCheckpointKey } from './checkpoint-key.store.js';
export type { StoredLeaf } from './leaf.js';
export {
  findEvents,
  insertLeaves,
  isLeaf,
  lastKept,
  loadEdge,
  lockSize,
  newestCheckpoint,
  olderThan,
  openLog,
  type Queries,
  readEntryBundle,
  readHashTile,
  readLeaves,
  readLeavesAt,
  type StoredCheckpoint,
  saveCheckpoint,
  saveSize,
  saveTiles,
  tileReader,
} from './log.store.js';
