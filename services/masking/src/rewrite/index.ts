export { type ReleasedColumn, type Rewrite, type RewriteRequest, rewrite } from './rewrite.js';
