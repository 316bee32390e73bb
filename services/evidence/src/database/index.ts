export {
  type DatabaseOptions,
  openDatabase,
  type Pool,
  type PoolClient,
  transaction,
} from './database.store.js';
export { migrate } from './migrate.store.js';
