export { type Labels, NO_PROFILE, readLabels, type Strategy, strategyOf } from './labels.js';
