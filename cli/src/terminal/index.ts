export { box } from './box.js';
export { escapeText, lookalikes } from './escape.js';
export { facts, table } from './table.js';
