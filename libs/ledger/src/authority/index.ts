export {
  type CertificateRequest,
  createDeploymentAuthority,
  type InstanceIdentity,
  instanceUri,
  issueInstanceCertificate,
} from './authority.js';
export { epochStatement, signEpoch, verifyEpochOpened } from './epoch.js';
export { fingerprintOf } from './fingerprint.js';
