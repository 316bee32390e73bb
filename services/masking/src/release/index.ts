export { type Cell, MOST_CELLS, Releaser } from './release.js';
