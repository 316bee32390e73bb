export {
  type Checkpoint,
  formatCheckpoint,
  openCheckpoint,
  parseCheckpoint,
  signCheckpoint,
} from './checkpoint.js';
export { type Note, type NoteSignature, type OpenedNote, openNote, parseNote, signNote } from './note.js';
export {
  formatVerifierKey,
  isKeyName,
  keyIdOf,
  type NoteVerifier,
  noteVerifier,
  parseVerifierKey,
  verifierFingerprint,
} from './verifier-key.js';
