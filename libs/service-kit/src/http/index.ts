export { createHttpApplication, type HttpApplication, type HttpOptions } from './application.server.js';
export { problemOf } from './problem.js';
export { invalidRequest, parseRequest } from './validation.js';
