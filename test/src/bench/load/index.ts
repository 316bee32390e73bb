export { type LoadOrder, type LoadReport, type LoadWatch, runLoad } from './load.driver.js';
export type { Login } from './wire.client.js';
