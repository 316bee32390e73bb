/**
 * Every finding, and what it means. Those of absence are computed as of a checkpoint and are no longer found once what
 * was missing has arrived.
 */
export const findings = {
  // What cannot be attributed to its producer is a finding and nothing else.
  malformed: 'A leaf is not an event of a known form.',
  misplaced:
    "An event lies on a topic or under a key that is not its producer's, or is another service's to say.",
  'repeated-id': 'An event has the id of an earlier event and other bytes.',
  'untrusted-epoch': "An epoch's key is not certified by the deployment's authority.",
  unattributed: 'An event belongs to an epoch whose opening was not seen.',
  fork: 'A producer used one place in its chain twice.',
  'broken-chain': 'An event does not name the hash of the event before it.',
  late: 'An event arrived after later events of its producer.',
  // What is missing or not proved in a chain.
  gap: 'Events of a producer are missing.',
  discontinuity: "An epoch does not continue the producer's epoch before it.",
  signature: "A signature does not verify under its epoch's key.",
  'unsigned-tail': "No signature covers a producer's last events yet.",
  // What contradicts the way of an action.
  'unknown-session': 'An action was decided in a session that is not open.',
  'session-mismatch': 'An event of a session contradicts its opening.',
  'ordinal-gap': 'Actions of a session are not numbered without gaps.',
  'decided-twice': 'An action was decided to run while it was already under way.',
  'outcome-without-decision': 'An outcome was recorded for an action that nothing had decided to run.',
  'no-outcome': 'An action was decided to run and has no recorded outcome.',
  'approval-unknown': 'An answer or a use was recorded for an approval that is not open.',
  'approval-repeated': 'An approval was requested or answered twice.',
  'approval-not-given': 'An approval was used that nobody had given.',
  'approval-overdue': 'An approval was given or used after it had expired.',
  'approval-mismatch': 'A decision cites an approval that says something else.',
  'approval-used-twice': 'Two actions were decided with one approval.',
  'self-approval': 'A requester approved the own action.',
  'approval-unused': 'An approval was given and has not been used.',
  'approval-without-decision': 'An approval was used and no action was decided with it.',
  'decision-without-approval': 'An action was decided with an approval whose use is not recorded.',
  'grant-unknown': 'A change was recorded of a grant that is not open.',
  'self-grant': 'An agent activated the own grant.',
} as const;
export type Finding = keyof typeof findings;

/** The findings of `findingsAsOf`: of what has not arrived. */
export const absences = [
  'no-outcome',
  'unsigned-tail',
  'approval-unused',
  'approval-without-decision',
  'decision-without-approval',
  'gap',
] as const satisfies readonly Finding[];
