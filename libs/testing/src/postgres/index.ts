export { type PostgresInstance, type PostgresOptions, startPostgres } from './server.js';
