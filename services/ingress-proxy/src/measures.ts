import type { Metrics } from '@countersign/service-kit';
import type { GateObserver } from './gate/index.js';
import type { ConnectionObserver } from './protocols/postgres/index.js';

/** Counters of the ingress. Labels are fixed words: verdicts, stages, codes. */
export function measuresOf(metrics: Metrics): GateObserver & ConnectionObserver {
  const decisions = metrics.counter('countersign_ingress_decisions_total', 'Recorded decisions.', [
    'verdict',
    'stage',
  ]);
  const outcomes = metrics.counter('countersign_ingress_outcomes_total', 'Outcomes of actions.', ['status']);
  const unrecorded = metrics.counter(
    'countersign_ingress_unrecorded_total',
    'Actions refused because nothing could be recorded.',
  );
  const refused = metrics.counter('countersign_ingress_refused_connections_total', 'Refused connections.', [
    'code',
  ]);
  const cancels = metrics.counter(
    'countersign_ingress_cancel_requests_total',
    'Cancel requests by what they met: something running, nothing, or no session with this key.',
    ['outcome'],
  );
  const opened = metrics.counter('countersign_ingress_sessions_opened_total', 'Sessions of agents.');
  const ended = metrics.counter('countersign_ingress_sessions_ended_total', 'Ended sessions.', ['reason']);
  const open = metrics.gauge('countersign_ingress_sessions_open', 'Open sessions of agents.');
  return {
    decided: (verdict, stage) => decisions.inc({ verdict, stage }),
    completed: (status) => outcomes.inc({ status }),
    unrecorded: () => unrecorded.inc(),
    refused: (code) => refused.inc({ code }),
    cancelRequested: (outcome) => cancels.inc({ outcome }),
    opened: () => {
      opened.inc();
      open.inc();
    },
    ended: (reason) => {
      ended.inc({ reason });
      open.dec();
    },
  };
}
