export {
  type DeployedService,
  type Store,
  type StoreRole,
  serviceNames,
  startStore,
  storeRoles,
} from './store.js';
export { apiName, gatewayRole, startTarget, type Target, type TargetFiles, targetName } from './target.js';
