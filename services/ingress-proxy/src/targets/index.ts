export { type CatalogueRpc, Catalogues } from './catalogue.driver.js';
export { type ConfiguredTarget, targetsOf } from './configured.js';
export { type ConfiguredHttpTarget, httpTargetsOf } from './configured-http.js';
export type { HttpTarget } from './http-target.js';
export { SystemActions } from './system-actions.driver.js';
export type { SystemConnection, Target, TargetReader } from './target.js';
