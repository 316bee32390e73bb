export {
  type Credentials,
  clientOf,
  connectAs,
  type Ending,
  endingOf,
  patienceMilliseconds,
} from './agent.client.js';
export { Clerk, readings } from './asks.client.js';
export { credentialsOf, tokenNeedles } from './credentials.store.js';
export { type AnyEvent, dataOf, type PublishedEvent, publishedEvents } from './events.client.js';
export { findingsOf } from './findings.client.js';
export { type GrantTerms, grantTo, revoke, tokenUnder } from './grants.client.js';
export { type Installation, startInstallation } from './installation.driver.js';
export { formsOf, type Haystack, type Hit, type Needle, search } from './needles.js';
export { everythingSaid, httpAddressOf, serviceLogs } from './published.client.js';
export { type Reconciliation, type RunningDecision, reconcile } from './reconcile.js';
export { Recordings, reconciled, runningDecisions } from './recordings.store.js';
export { type LoggedStatement, statementsIn } from './statement-log.js';
export { type Asks, type Conversation, Traffic } from './traffic.driver.js';
