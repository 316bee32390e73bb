export {
  baseConfiguration,
  type HttpConfiguration,
  type KitConfiguration,
  peer,
  type RpcConfiguration,
  tlsFiles,
} from './base.js';
export {
  type CommandLine,
  type ConfigurationSource,
  configurationHelp,
  loadConfiguration,
  readCommandLine,
} from './load.store.js';
export { readConfiguredFile, Secret, secret } from './secret.store.js';
