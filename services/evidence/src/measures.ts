import type { Metrics } from '@countersign/service-kit';
import type { Written } from './ingest/index.js';

export interface Measures {
  written(written: Written): void;
  paused(): void;
}

/** The measures of ingestion at /metrics. */
export function watchIngest(metrics: Metrics): Measures {
  const leaves = metrics.gauge('countersign_evidence_leaves', 'Leaves of the evidence log.');
  const lag = metrics.gauge(
    'countersign_evidence_lag_seconds',
    'Time from the newest event that was taken in to its checkpoint.',
  );
  const records = metrics.counter('countersign_evidence_records_total', 'Records that the fold gave.', [
    'kind',
  ]);
  const pauses = metrics.counter(
    'countersign_evidence_pauses_total',
    'Times that ingestion failed and paused.',
  );
  const checkpointAt = metrics.gauge(
    'countersign_evidence_checkpoint_timestamp_seconds',
    'When the newest checkpoint was signed, seconds since 1970; its age is the time since.',
  );
  return {
    written(written) {
      leaves.set(written.size);
      if (written.newest !== null) lag.set(Math.max(0, (Date.now() - written.newest) / 1000));
      if (written.leaves > 0) checkpointAt.setToCurrentTime();
      for (const { kind } of written.records) records.inc({ kind });
    },
    paused() {
      pauses.inc();
    },
  };
}
