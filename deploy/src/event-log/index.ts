export {
  type DeployedEventLog,
  eventLogInCluster,
  eventLogInStore,
  startEventLogBroker,
} from './event-log.js';
export { demandKind, type EventLogKind, noteKind } from './kind.store.js';
