import type { Submitted } from '../../../gate/index.js';
import type { FrontendMessage } from '../codec/index.js';

/** What of a message that is no statement can be recorded; null for messages that ask nothing of a target. */
export function unanalysableOf(message: FrontendMessage): Submitted | null {
  switch (message.kind) {
    case 'oversized': {
      // The bytes were dropped; their length and digest stand for them.
      const bytes = Buffer.from(JSON.stringify({ length: message.length, sha256: message.sha256 }));
      return { kind: 'unanalysable', code: 'statement.too_large', bytes };
    }
    case 'invalid-text':
      return { kind: 'unanalysable', code: 'statement.invalid_text', bytes: message.bytes };
    case 'function-call':
      return { kind: 'unanalysable', code: 'protocol.unsupported', bytes: message.bytes };
    default:
      return null;
  }
}

/** Whether a message belongs to the extended protocol: it waits for the Sync. */
export function isExtended(message: FrontendMessage): boolean {
  switch (message.kind) {
    case 'parse':
    case 'bind':
    case 'describe':
    case 'execute':
    case 'close':
      return true;
    case 'oversized':
    case 'invalid-text':
      return message.extended;
    default:
      return false;
  }
}

/** Bytes that a message takes while it waits. */
export function sizeOf(frame: object): number {
  return 'whole' in frame && Buffer.isBuffer(frame.whole) ? frame.whole.length : 64;
}
