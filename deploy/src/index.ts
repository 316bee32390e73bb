export { type DeployedService, gatewayRole, targetName } from './databases/index.js';
export { type Deployment, type DeploymentOptions, startDeployment } from './deployment.js';
export { type AgentPart, cast, type Part, People } from './session/index.js';
export { runTour, type TourResult } from './tour/index.js';
