/**
 * Largest event, bytes: an entry of a C2SP tlog-tiles bundle carries its length in 16 bits.
 */
export const maximumEventBytes = 65_535;

/** Deepest nesting of arrays and objects in an event, so that no reader can be made to overflow its stack. */
export const maximumEventDepth = 64;

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const SOURCE = /^\/[a-z-]{1,40}\/[a-z0-9][a-z0-9-]{0,62}$/;

/** Whether a text may be the id of an event or of an epoch: a UUID (RFC 9562) in lower case. */
export function isEventId(text: string): boolean {
  return UUID.test(text);
}

/** Whether a text may be `/<service>/<instance>`. */
export function isSource(text: string): boolean {
  return SOURCE.test(text);
}

/** Whether a text may be a correlation, causation or trace reference. */
export function isReference(text: string): boolean {
  return text.length >= 1 && text.length <= 200;
}
