export {
  type CertificateRequest,
  createDeploymentAuthority,
  epochStatement,
  fingerprintOf,
  type InstanceIdentity,
  instanceUri,
  issueInstanceCertificate,
  signEpoch,
  verifyEpochOpened,
} from './authority/index.js';
export {
  beginChain,
  type ChainFault,
  type ChainRecord,
  type ChainReport,
  type ChainState,
  type EventDraft,
  eventHash,
  type SealedEvent,
  sealEvent,
  signHash,
  verifyChain,
  verifyHash,
  zeroHash,
} from './chain/index.js';
export { maximumEventBytes, maximumEventDepth, parseEnvelope } from './envelope/index.js';
export { openProducer, type Producer, type ProducerJournal, type ProducerOptions } from './producer/index.js';
