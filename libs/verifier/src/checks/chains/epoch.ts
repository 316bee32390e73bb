import { type KeyObject, verify } from 'node:crypto';
import type { Findings, SignedBatch, Where } from '../../report/index.js';
import type { Place, SeenEvent } from '../event.js';

/** The head of an epoch as another event names it. */
export interface Link {
  readonly epoch: string;
  readonly seq: number;
  readonly hash: string;
}

/** Two neighbours of which the later does not continue the earlier. */
interface Break {
  readonly before: Place;
  readonly after: Place;
}

/** Missing sequence numbers, and the event that came instead. */
interface Gap {
  readonly from: number;
  to: number;
  readonly before: Place;
}

/** Missing sequence numbers that are told apart; beyond them only the last range grows. */
const MOST_GAPS = 1000;

/**
 * One life of a producer, checked as its events pass.
 *
 * Invariant: events up to `#covered` are the producer's own bytes, because a valid signature covers the hash of one of
 * them at or after each, and the chain between holds, save where a finding says otherwise.
 */
export class Epoch {
  readonly producer: string;
  readonly id: string;
  readonly #findings: Findings;
  /** Null where the epoch's key is not shown to be the producer's: then nothing of it can be signed. */
  readonly #key: KeyObject | null;
  readonly #first: Place;
  #head: Place;
  #headHash: string;
  #covered = -1;
  /** First event after `#covered`. */
  #open: Place | null;
  #breaks: Break[] = [];
  readonly #gaps: Gap[] = [];
  /** Last sequence number whose signature was wrong, while no right one came after it. */
  #failed = -1;
  events = 0;
  signatures = 0;

  constructor(event: SeenEvent, place: Place, id: string, key: KeyObject | null, findings: Findings) {
    this.producer = event.key;
    this.id = id;
    this.#findings = findings;
    this.#key = key;
    this.#first = place;
    this.#head = place;
    this.#headHash = event.hash;
    this.#open = place;
    this.events = 1;
    this.#checkSignature(event, place);
  }

  get first(): Place {
    return this.#first;
  }

  get head(): Place {
    return this.#head;
  }

  get trusted(): boolean {
    return this.#key !== null;
  }

  /** A further event of the epoch. `late`: another epoch of the producer was opened meanwhile. */
  add(event: SeenEvent, place: Place, prevhash: string, late: boolean): void {
    this.events += 1;
    if (place.seq <= this.#head.seq) {
      this.#addBehind(place);
      return;
    }
    if (late)
      this.#findings.add(
        'chain.moved',
        this.#where(place),
        `Event ${place.seq} of ${this.#name} stands behind the opening of a later epoch.`,
      );
    if (place.seq > this.#head.seq + 1) this.#addGap(this.#head.seq + 1, place.seq - 1, place);
    else if (prevhash !== this.#headHash) this.#addBreak({ before: this.#head, after: place });
    this.#head = place;
    this.#headHash = event.hash;
    this.#open ??= place;
    this.#checkSignature(event, place);
  }

  /** Checks the next epoch's link to this one. `vouched`: whether that link is itself signed. */
  checkLink(link: Link, from: Place, vouched: boolean): void {
    const { seq } = this.#head;
    const where = { ...this.#where(from), epoch: this.id };
    if (link.seq > seq) {
      this.#findings.add(
        'chain.tail-missing',
        { ...where, missing: { from: seq + 1, to: link.seq } },
        `Events ${range(seq + 1, link.seq)} of ${this.#name} are missing: the producer’s next epoch (event index ${from.index}) continues event ${link.seq}.`,
      );
    } else if (link.seq < seq) {
      this.#findings.add(
        'chain.added',
        { ...this.#where(this.#head), batch: this.#tail() },
        `Events ${range(link.seq + 1, seq)} of ${this.#name} are more than the producer’s next epoch (event index ${from.index}) knows of.`,
      );
    } else if (link.hash !== this.#headHash) {
      if (this.#covered === seq) {
        this.#findings.add(
          'chain.unlinked',
          this.#where(from),
          `The epoch opened at event index ${from.index} continues another event ${seq} than the signed one of ${this.#name}.`,
        );
      } else if (this.#failed < 0) {
        const batch = this.#tail();
        this.#findings.add(
          'chain.changed',
          batch.fromSeq === seq ? this.#where(this.#head) : { ...this.#where(this.#head), batch },
          `${batch.fromSeq === seq ? `Event ${seq}` : `One or more of the events ${range(batch.fromSeq, seq)}`} of ${this.#name} ${batch.fromSeq === seq ? 'is' : 'are'} not the producer’s: its next epoch (event index ${from.index}) continues another event.`,
        );
      }
    } else if (vouched) {
      this.#cover(this.#head);
    }
  }

  /** Whether an event is covered by a valid signature of this epoch. */
  covers(seq: number): boolean {
    return seq <= this.#covered;
  }

  /** Events at the end that no signature covers; null where there are none, or where a finding tells of them. */
  get openTail(): SignedBatch | null {
    return this.#key === null || this.#open === null || this.#failed >= 0 ? null : this.#tail();
  }

  /** Reports what stayed open once nothing more can come. */
  finish(): void {
    for (const { from, to, before } of this.#gaps)
      this.#findings.add(
        'chain.gap',
        { ...this.#where(before), missing: { from, to } },
        `${from === to ? `Event ${from} of ${this.#name} is` : `Events ${range(from, to)} of ${this.#name} are`} missing before the one of index ${before.index}.`,
      );
    this.#reportBreaks(false);
  }

  #addBehind(place: Place): void {
    const gap = this.#gaps.find(({ from, to }) => from <= place.seq && place.seq <= to);
    if (gap === undefined) {
      this.#findings.add(
        'chain.repeated',
        this.#where(place),
        `Event ${place.seq} of ${this.#name} is there more than once: the event of index ${place.index} was added or repeated.`,
      );
      return;
    }
    const rest = [
      { ...gap, to: place.seq - 1 },
      { ...gap, from: place.seq + 1 },
    ].filter(({ from, to }) => from <= to);
    this.#gaps.splice(this.#gaps.indexOf(gap), 1, ...rest);
    this.#findings.add(
      'chain.moved',
      this.#where(place),
      `Event ${place.seq} of ${this.#name} stands behind later events of its epoch.`,
    );
  }

  #addGap(from: number, to: number, before: Place): void {
    const last = this.#gaps.at(-1);
    if (this.#gaps.length >= MOST_GAPS && last !== undefined) last.to = to;
    else this.#gaps.push({ from, to, before });
  }

  #addBreak(found: Break): void {
    // The earlier event is the producer's own, so it is the later one, or something left out between, that is wrong.
    if (this.#covered === found.before.seq) this.#reportBreak(found);
    else this.#breaks.push(found);
  }

  #checkSignature(event: SeenEvent, place: Place): void {
    if (event.signature === null || this.#key === null) return;
    this.signatures += 1;
    if (verify(null, Buffer.from(event.hash, 'hex'), this.#key, event.signature)) {
      this.#cover(place);
      return;
    }
    // Once one fails, all later ones of the chain do: they say nothing new.
    if (this.#failed < 0) this.#reportSignature(place);
    this.#failed = place.seq;
    this.#reportBreaks(false);
  }

  /** A valid signature, or a signed link, covers everything up to here. */
  #cover(place: Place): void {
    this.#reportBreaks(true);
    this.#covered = place.seq;
    this.#open = null;
    this.#failed = -1;
  }

  #reportSignature(place: Place): void {
    const batch = this.#tail();
    const one = batch.fromSeq === batch.toSeq;
    this.#findings.add(
      'signature.invalid',
      one ? this.#where(place) : { ...this.#where(place), batch },
      one
        ? `Event ${place.seq} of ${this.#name} (index ${place.index}) is not what the producer signed: its own signature does not fit.`
        : `Something in the events ${range(batch.fromSeq, batch.toSeq)} of ${this.#name} (index ${batch.fromIndex} to ${batch.toIndex}) is not what the producer signed: one signature covers them all, and it does not fit.`,
    );
  }

  /** @param signed whether the event after the last break is the producer's own */
  #reportBreaks(signed: boolean): void {
    const breaks = this.#breaks;
    this.#breaks = [];
    for (const [position, found] of breaks.entries()) {
      // It was relinked up to there and found by its signature already.
      if (signed && found.before.seq <= this.#failed) continue;
      if (signed && position === breaks.length - 1) this.#reportChanged(found);
      else this.#reportBreak(found);
    }
  }

  #reportChanged({ before, after }: Break): void {
    this.#findings.add(
      'chain.changed',
      this.#where(before),
      `Event ${before.seq} of ${this.#name} (index ${before.index}) is not what the producer wrote: the signed event ${after.seq} continues another.`,
    );
  }

  #reportBreak({ before, after }: Break): void {
    const certain = this.#covered >= before.seq;
    this.#findings.add(
      'chain.broken',
      certain
        ? this.#where(after)
        : {
            ...this.#where(after),
            batch: { fromSeq: before.seq, toSeq: after.seq, fromIndex: before.index, toIndex: after.index },
          },
      `Event ${after.seq} of ${this.#name} (index ${after.index}) does not continue event ${before.seq}${certain ? ', which the producer signed' : ''}.`,
    );
  }

  /** The events that no valid signature covers so far. */
  #tail(): SignedBatch {
    const from = this.#open ?? this.#head;
    return { fromSeq: from.seq, toSeq: this.#head.seq, fromIndex: from.index, toIndex: this.#head.index };
  }

  get #name(): string {
    return `epoch ${this.id} of ${this.producer}`;
  }

  #where({ index, id, type, seq }: Place): Where {
    return { index, id, type, producer: this.producer, epoch: this.id, seq };
  }
}

function range(from: number, to: number): string {
  return from === to ? String(from) : `${from} to ${to}`;
}
