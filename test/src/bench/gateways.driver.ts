import { type EventLog, openEventLog } from '@countersign/event-log';
import { type Installation, startInstallation } from '../e2e/support/index.js';

/** A kind of gateway that is measured: a whole installation on one event log. */
export interface GatewayKind {
  readonly name: string;
  start(): Promise<Installation>;
  /** The installation's event log, as its ingress writes it. */
  openLog(installation: Installation): Promise<EventLog>;
}

/** Another event log is another entry. */
export const gatewayKinds: readonly GatewayKind[] = [
  {
    name: 'gateway on PostgreSQL',
    start: () => startInstallation(),
    openLog: ({ deployment }) => openEventLog(deployment.eventLog.url('ingress-proxy')),
  },
];
