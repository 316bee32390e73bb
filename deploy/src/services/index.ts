export {
  type Administrator,
  type Configurations,
  configurationsOf,
  type Installation,
  type InstallationFiles,
  logOrigin,
  tokenIssuer,
} from './configurations.js';
export { type ProcessSpecification, SupervisedProcess } from './supervisor.js';
