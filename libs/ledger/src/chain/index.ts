export {
  beginChain,
  type ChainState,
  type EventDraft,
  eventHash,
  type SealedEvent,
  sealEvent,
  zeroHash,
} from './seal.js';
export { signHash, verifyHash } from './signature.js';
export { type ChainFault, type ChainRecord, type ChainReport, verifyChain } from './verify.js';
