import type { EventEnvelope } from '@countersign/contracts';
import { eventHash } from '@countersign/ledger';
import { leafHash, toBase64 } from '@countersign/transparency';

interface EventLine {
  kind: 'event';
  index: number;
  key: string;
  value: string;
}

interface HashLine {
  kind: 'leaf-hashes';
  start: number;
  hashes: string[];
}

interface Decided {
  type: string;
  epoch: string;
  prevhash: string;
  data: { verdict: string; stage: string; refusal: string | null };
}

/** What the forger changed. */
export interface Forgery {
  readonly lines: readonly string[];
  readonly index: number;
  readonly id: string;
}

const hashOf = (value: string): string => eventHash(Buffer.from(value, 'utf8'));

/**
 * What somebody with the file alone can do at best: turn one recorded denial into an allowed action, then recompute
 * every later `prevhash` of that producer's epoch and every leaf hash. Signatures cannot be recomputed.
 */
export function tamper(lines: readonly string[]): Forgery {
  const parsed = lines.map((line) => JSON.parse(line) as { kind: string });
  const events = parsed.filter((line): line is EventLine => line.kind === 'event');
  const victim = events.findLast((line) => {
    const { type, data } = JSON.parse(line.value) as Decided;
    return type === 'countersign.action.decided.v1' && data.verdict === 'deny' && data.stage === 'policy';
  });
  if (victim === undefined) throw new Error('The dossier holds no denial to forge.');
  const { epoch, id } = JSON.parse(victim.value) as EventEnvelope;
  const changed = new Map<number, string>();
  let previous: string | undefined;
  for (const line of events) {
    if (line.key !== victim.key || line.index < victim.index) continue;
    const envelope = JSON.parse(line.value) as Decided;
    if (envelope.epoch !== epoch) continue;
    if (previous !== undefined) envelope.prevhash = previous;
    if (line === victim) envelope.data = { ...envelope.data, verdict: 'allow', refusal: null };
    line.value = JSON.stringify(envelope);
    previous = hashOf(line.value);
    changed.set(line.index, toBase64(leafHash(Buffer.from(line.value, 'utf8'))));
  }
  for (const line of parsed.filter((one): one is HashLine => one.kind === 'leaf-hashes')) {
    line.hashes = line.hashes.map((hash, offset) => changed.get(line.start + offset) ?? hash);
  }
  return { lines: parsed.map((line) => JSON.stringify(line)), index: victim.index, id };
}
