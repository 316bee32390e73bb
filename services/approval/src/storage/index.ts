export type { Change } from './change.js';
export { Changes } from './changes.worker.js';
export { advisoryLocks, Database, type DatabaseOptions } from './database.store.js';
export { Outbox } from './outbox.store.js';
export { type Aggregate, type Applied, Transaction } from './transaction.store.js';
