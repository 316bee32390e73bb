import type { CountersignError } from '@countersign/errors';
import type { EndReason } from '../../../session/index.js';

/** What ends a session from inside, with the last words to the agent. */
export class SessionEnd extends Error {
  constructor(
    readonly reason: EndReason,
    readonly words: CountersignError | null,
    readonly action?: string,
  ) {
    super('the session ends');
  }
}
