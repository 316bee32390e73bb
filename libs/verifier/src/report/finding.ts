/** What was examined; each finding belongs to one. In the order in which a report lists them. */
export const checkIds = [
  'form',
  'trust',
  'checkpoints',
  'tree',
  'leaves',
  'producers',
  'chains',
  'signatures',
  'policy',
  'records',
] as const;
export type CheckId = (typeof checkIds)[number];

/** Events of one producer that one signature covers, or should: as close as a signature can point. */
export interface SignedBatch {
  /** First and last sequence number. */
  readonly fromSeq: number;
  readonly toSeq: number;
  /** Index of the first and the last event in the dossier. */
  readonly fromIndex: number;
  readonly toIndex: number;
}

/** Where something is wrong, as exactly as can be shown. Everything named is as the dossier has it. */
export interface Where {
  /** Line of the dossier, from 1. */
  readonly line?: number;
  /** Index of the event's leaf. */
  readonly index?: number;
  /** Id of the event. */
  readonly id?: string;
  readonly type?: string;
  /** `/<service>/<instance>`. */
  readonly producer?: string;
  readonly epoch?: string;
  readonly seq?: number;
  readonly batch?: SignedBatch;
  /** First and last leaf index, where it is one of several. */
  readonly leaves?: { readonly from: number; readonly to: number };
  /** First and last sequence number that are not there. */
  readonly missing?: { readonly from: number; readonly to: number };
  /** Id of the evidence record. */
  readonly record?: string;
  /** Tree size of the checkpoint. */
  readonly checkpoint?: number;
  readonly policyDigest?: string;
}

/** `error`: it is not what it claims to be. `warning`: something could not be shown, and that alone proves nothing. */
export type Severity = 'error' | 'warning';

export interface FindingKind {
  readonly check: CheckId;
  readonly severity: Severity;
  /** What it means, for the documentation. */
  readonly meaning: string;
}

function error(check: CheckId, meaning: string): FindingKind {
  return { check, severity: 'error', meaning };
}

function warning(check: CheckId, meaning: string): FindingKind {
  return { check, severity: 'warning', meaning };
}

/** Every finding a verification can have. */
export const findingKinds = {
  'form.unreadable': error('form', 'A line is no line of a dossier, or stands where it may not.'),
  'form.cut': error('form', 'The end is missing or counts other lines: the dossier is not whole.'),
  'form.unknown-fold': error(
    'form',
    'The records were made by a version of the fold that this verifier has not.',
  ),

  'trust.other-keys': error('trust', 'Neither the authority nor the checkpoint key is one that is trusted.'),
  'trust.authority': error('trust', 'The authority is not the certificate of a certification authority.'),
  'trust.checkpoint-key': error('trust', 'The authority did not certify the checkpoint key for evidence.'),

  'checkpoint.missing': error('checkpoints', 'There is no checkpoint, so nothing vouches for the whole.'),
  'checkpoint.malformed': error('checkpoints', 'A checkpoint is not a signed checkpoint.'),
  'checkpoint.signature': error('checkpoints', 'A checkpoint is not signed by the checkpoint key.'),
  'checkpoint.order': error('checkpoints', 'Checkpoints do not ascend, or two of one size differ.'),
  'checkpoint.size': error('checkpoints', 'The last checkpoint is of another size than the dossier.'),

  'tree.root': error('tree', 'The leaf hashes do not give the root that a checkpoint signed.'),
  'tree.size': error('tree', 'There are more or fewer leaf hashes than the tree has leaves.'),

  'leaf.changed': error('leaves', 'An event is not the one whose hash the log retained.'),
  'leaf.added': error('leaves', 'The log retained no hash of an event.'),
  'leaf.moved': error('leaves', 'An event stands in another place than in the log.'),
  'leaf.repeated': error('leaves', 'An event stands there more often than in the log.'),
  'leaf.missing': error('leaves', 'The log retained hashes of events that are not there.'),
  'leaf.index': error('leaves', 'An event does not have the index of its place.'),
  'leaf.too-different': error('leaves', 'Events and retained hashes differ too much to say more.'),

  'event.malformed': error('producers', 'A leaf is not a well-formed event.'),
  'event.misplaced': error(
    'producers',
    'An event stands under a key or topic that is not its producer’s, or is another service’s to say.',
  ),
  'event.repeated-id': error('producers', 'Two different events have the same id.'),
  'epoch.untrusted': error(
    'producers',
    'The key of an epoch is not proved by a certified instance of the service.',
  ),
  'epoch.unopened': error('producers', 'An epoch has events, but the one that names its key is not there.'),
  'epoch.repeated': error('producers', 'An epoch is opened twice.'),

  'chain.gap': error('chains', 'Events of an epoch are missing.'),
  'chain.tail-missing': error('chains', 'The end of an epoch is missing: the next epoch names a later head.'),
  'chain.epoch-missing': error(
    'chains',
    'A whole epoch is missing: the next epoch names it as the one before.',
  ),
  'chain.unlinked': error('chains', 'An epoch does not continue the one before it.'),
  'chain.added': error('chains', 'An epoch has events after the head that the next epoch names.'),
  'chain.moved': error('chains', 'An event stands behind later ones of its epoch.'),
  'chain.repeated': error('chains', 'An epoch has a sequence number twice.'),
  'chain.changed': error('chains', 'An event is not the one that its producer’s next event continues.'),
  'chain.broken': error('chains', 'An event does not continue the one before it.'),

  'signature.invalid': error(
    'signatures',
    'A signature does not fit: something in its batch is not the producer’s.',
  ),
  'signature.missing': error(
    'signatures',
    'Events are unsigned, and stand too far from the end of the log to be an unfinished batch.',
  ),
  'signature.open-tail': warning(
    'signatures',
    'The last events of a producer are not covered by a signature yet.',
  ),

  'policy.bundle': error('policy', 'A policy bundle is not the one that was activated.'),
  'policy.unreadable': error('policy', 'A policy bundle cannot be loaded.'),
  'policy.not-activated': warning('policy', 'No event says that a policy which decided was activated.'),
  'policy.absent': error('policy', 'The policy that decided is not in the dossier.'),
  'policy.session-absent': error('policy', 'The session of a decision is not described by an earlier event.'),
  'policy.facts-absent': error('policy', 'The facts of a decision are not described by an earlier event.'),
  'policy.described': error('policy', 'Facts or claims do not have the digest that names them.'),
  'policy.input': error('policy', 'The recorded input of a decision is not what the events before it give.'),
  'policy.decision': error('policy', 'The policy decides otherwise on the recorded input.'),
  'policy.verdict': error(
    'policy',
    'The verdict that held is neither policy’s nor a later refusal of what policy let pass.',
  ),
  'policy.summary': error(
    'policy',
    'What a decision says of its action is not what its facts and session say.',
  ),

  'record.changed': error('records', 'A record is not the one that the events give.'),
  'record.added': error('records', 'A record is none of those that the events give.'),
  'record.moved': error('records', 'A record stands in another place than the events give it.'),
  'record.repeated': error('records', 'A record stands there more than once.'),
  'record.missing': error('records', 'Records that the events give are not there.'),
  'record.unfounded': error('records', 'Records cannot be judged: the events they rest on were changed.'),
  'record.too-different': error('records', 'Records and events differ too much to say more.'),
} as const satisfies Record<string, FindingKind>;

export type FindingCode = keyof typeof findingKinds;

export interface Finding {
  readonly code: FindingCode;
  readonly check: CheckId;
  readonly severity: Severity;
  /** For people: what is wrong, where, and what follows. Holds ids, digests and numbers only. */
  readonly sentence: string;
  readonly where: Where;
}
