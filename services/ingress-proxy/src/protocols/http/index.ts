export { ApprovalPlaces } from './agent/index.js';
export { type HttpListener, type HttpListenerOptions, listenForRequests } from './listener.server.js';
export { methods, NEVER, readTemplate } from './request/index.js';
export { servedTargets } from './serving.driver.js';
