import { invalid } from './archive.js';

/** Parses a JSON member of a bundle. @throws policy.bundle_invalid */
export function parseJson(content: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(content));
  } catch (cause) {
    throw invalid('A file of the bundle is no JSON.', cause);
  }
}
