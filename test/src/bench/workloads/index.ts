import { bulk } from './bulk.js';
import { decisions } from './decisions.js';
import { echo } from './echo.js';
import { events } from './events.js';
import { keys } from './keys.js';
import { pgbenchKeys } from './pgbench.js';
import { profile } from './profile.js';
import type { Workload } from './workload.js';

/** In the order in which they run. */
export const workloads: readonly Workload[] = [echo, decisions, keys, pgbenchKeys, bulk, events, profile];
export type { Workload } from './workload.js';
