export { Clock } from './clock.js';
export { type HttpParts, httpModule } from './http.module.js';
