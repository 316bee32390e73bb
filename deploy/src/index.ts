export { apiName, type DeployedService, gatewayRole, serviceNames, targetName } from './databases/index.js';
export {
  type Adjust,
  type Deployment,
  type DeploymentOptions,
  type Settings,
  startDeployment,
} from './deployment.js';
export type { DeployedEventLog } from './event-log/index.js';
export { SupervisedProcess, tokenIssuer } from './services/index.js';
export { type AgentPart, cast, type Part, People } from './session/index.js';
export { portCount } from './state/index.js';
export { Evidence, runTour, type TourResult } from './tour/index.js';
