import { createHash, createHmac, type Hash } from 'node:crypto';
import { canonicalJson, commitmentOf } from '@countersign/contracts';
import type { Statement, Submitted } from './action.js';

/** What a commitment is about: each has a salt of its own, so that it can be opened alone. */
export type CommitmentPurpose = 'submitted' | 'running' | 'released';

/** The salt of one commitment: HMAC-SHA-256(session secret, `<action>:<purpose>`). */
export function saltOf(secret: Uint8Array, action: string, purpose: CommitmentPurpose): Buffer {
  return createHmac('sha256', secret).update(`${action}:${purpose}`).digest();
}

/**
 * The exact bytes that stand for a submitted action: RFC 8785 canonical JSON of text, declared types and parameters
 * (base64, null for NULL), and of their formats where not all are text: the same bytes mean something else in another.
 * Equal bytes are the same action; approvals bind to their digest. Formats of results are no part of it.
 */
export function bytesOfSubmitted(submitted: Submitted): Uint8Array | string {
  return submitted.kind === 'statement' ? textOfStatement(submitted) : submitted.bytes;
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

/** Commits to the UTF-8 bytes of the text that runs: what the target's own statement log shows. */
export function commitToRunning(secret: Uint8Array, action: string, text: string): string {
  return commitmentOf(saltOf(secret, action, 'running'), text);
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
