export { type CatalogueRpc, Catalogues } from './catalogue.driver.js';
export { type ConfiguredTarget, targetsOf } from './configured.js';
export { SystemActions } from './system-actions.driver.js';
export type { SystemConnection, Target, TargetReader } from './target.js';
