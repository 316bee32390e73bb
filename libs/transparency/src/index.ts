export { equal, fromBase64, toBase64, toHex } from './bytes.js';
export { FormatError } from './format-error.js';
export * from './notes/index.js';
export {
  type Ed25519PrivateKey,
  type Ed25519PublicKey,
  ed25519PrivateKey,
  ed25519PublicKey,
  ed25519Spki,
  sha256,
} from './primitives.js';
export * from './tiles/index.js';
export * from './tree/index.js';
