/**
 * Largest event, bytes: an entry of a C2SP tlog-tiles bundle carries its length in 16 bits.
 */
export const maximumEventBytes = 65_535;
