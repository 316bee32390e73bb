export { explained } from './failures.js';
export { takeFolder } from './leftovers.js';
export { demandFree, type Ports, portCount, portsFrom } from './ports.js';
export { Secrets } from './secrets.store.js';
