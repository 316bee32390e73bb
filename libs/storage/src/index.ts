export { type MigrateOptions, type Migration, migrateSchema } from './migrate.store.js';
