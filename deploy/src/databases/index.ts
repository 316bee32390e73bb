export {
  type DeployedService,
  type Store,
  type StoreRole,
  serviceNames,
  startStore,
  storeRoles,
  watcher,
} from './store.js';
export { apiName, gatewayRole, startTarget, type Target, type TargetFiles, targetName } from './target.js';
