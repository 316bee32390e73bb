export { limits as dossierLimits } from './limits.js';
export {
  DOSSIER_FORMAT,
  type DossierCheckpoint,
  type DossierEnd,
  DossierError,
  type DossierEvent,
  type DossierKind,
  type DossierLeafHashes,
  type DossierLine,
  type DossierManifest,
  type DossierPolicy,
  type DossierRecord,
  formatLine,
  kinds as dossierKinds,
  parseLine,
} from './line.js';
export { type NumberedLine, readDossier, splitLines } from './read.js';
export { type DossierContent, writeDossier } from './write.js';
