import { createHash, createHmac, type Hash } from 'node:crypto';
import { canonicalJson, commitmentOf } from '@countersign/contracts';
import type { Analysable, Statement, Submitted } from './action.js';

/** What a commitment is about: each has a salt of its own, so that it can be opened alone. */
export type CommitmentPurpose = 'submitted' | 'running' | 'released';

/** The salt of one commitment: HMAC-SHA-256(session secret, `<action>:<purpose>`). */
export function saltOf(secret: Uint8Array, action: string, purpose: CommitmentPurpose): Buffer {
  return createHmac('sha256', secret).update(`${action}:${purpose}`).digest();
}

/**
 * The exact bytes that stand for a submitted action: RFC 8785 canonical JSON of text, declared types and parameters
 * (base64, null for NULL), and of their formats where not all are text: the same bytes mean something else in another;
 * of a request, its head and its body, which the head's empty line keeps apart. Equal bytes are the same action; approvals
 * bind to their digest. Formats of results are no part of it.
 */
export function bytesOfSubmitted(submitted: Submitted): Uint8Array | string {
  switch (submitted.kind) {
    case 'statement':
      return textOfStatement(submitted);
    case 'request':
      return Buffer.concat([Buffer.from(submitted.head), submitted.body]);
    case 'unanalysable':
      return submitted.bytes;
  }
}

/** What the target gets to see: masking's text of a statement; a request as it was decided, to the byte. */
export function bytesOfRunning(submitted: Analysable, rewritten: string): Uint8Array | string {
  return submitted.kind === 'request' ? bytesOfSubmitted(submitted) : rewritten;
}

export function textOfStatement(statement: Statement): string {
  return canonicalJson({
    ...(statement.binary === undefined ? {} : { parameterFormats: statement.binary.formats }),
    parameters: statement.parameters.map((value) =>
      value === null ? null : Buffer.from(value).toString('base64'),
    ),
    parameterTypes: statement.parameterTypes,
    statement: statement.text,
  });
}

export function commitToSubmitted(secret: Uint8Array, action: string, submitted: Submitted): string {
  return commitmentOf(saltOf(secret, action, 'submitted'), bytesOfSubmitted(submitted));
}

/** Commits to what the target gets to see; of a statement, what its own log shows. */
export function commitToRunning(secret: Uint8Array, action: string, bytes: Uint8Array | string): string {
  return commitmentOf(saltOf(secret, action, 'running'), bytes);
}

/** A commitment to released bytes as they pass by. */
export class ReleasedCommitment {
  readonly #hash: Hash;

  constructor(secret: Uint8Array, action: string) {
    this.#hash = createHash('sha256').update(saltOf(secret, action, 'released'));
  }

  add(bytes: Uint8Array): void {
    this.#hash.update(bytes);
  }

  digest(): string {
    return `sha256:${this.#hash.digest('hex')}`;
  }
}
