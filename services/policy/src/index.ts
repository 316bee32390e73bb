export { type Configuration, configuration } from './configuration.js';
