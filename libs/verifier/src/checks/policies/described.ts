import { digestOfJson, type EventData, type Facts, type SessionClaims } from '@countersign/contracts';

/** Ended sessions whose claims are kept for a while: a decision may still be on its way when its session ends. */
const ENDED_SESSIONS = 1000;

/** Session claims and facts by digest, as events described them: what a policy input is made of. */
export class Described {
  readonly #sessions = new Map<string, SessionClaims>();
  readonly #digests = new Map<string, string>();
  readonly #ended: string[] = [];
  readonly #facts = new Map<string, Facts>();

  session(digest: string): SessionClaims | undefined {
    return this.#sessions.get(digest);
  }

  facts(digest: string): Facts | undefined {
    return this.#facts.get(digest);
  }

  /** False where the claims do not have the digest that they are described under. */
  openSession({ digest, claims }: EventData['countersign.session.opened.v1']): boolean {
    if (digestOfJson(claims) !== digest) return false;
    this.#sessions.set(digest, claims);
    this.#digests.set(claims.session, digest);
    return true;
  }

  endSession(session: string): void {
    this.#ended.push(session);
    if (this.#ended.length <= ENDED_SESSIONS) return;
    const oldest = this.#ended.shift() ?? '';
    this.#sessions.delete(this.#digests.get(oldest) ?? '');
    this.#digests.delete(oldest);
  }

  /** False where the facts do not have the digest that they are described under. */
  describeFacts({ digest, facts }: EventData['countersign.facts.described.v1']): boolean {
    if (digestOfJson(facts) !== digest) return false;
    this.#facts.set(digest, facts);
    return true;
  }
}
