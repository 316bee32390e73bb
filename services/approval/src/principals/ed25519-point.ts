/** The field of edwards25519 (RFC 8032, section 5.1). */
const p = 2n ** 255n - 19n;
const modulo = (value: bigint) => ((value % p) + p) % p;

function power(base: bigint, exponent: bigint): bigint {
  let result = 1n;
  for (let square = modulo(base), rest = exponent; rest > 0n; rest >>= 1n, square = modulo(square * square)) {
    if (rest & 1n) result = modulo(result * square);
  }
  return result;
}
const inverse = (value: bigint) => power(value, p - 2n);
const d = modulo(-121665n * inverse(121666n));

/** x² of the points with this y: (y² − 1) / (d·y² + 1); the denominator is never 0 as −1/d is no square. */
const xSquared = (y: bigint) => modulo((y * y - 1n) * inverse(d * y * y + 1n));
/** y of twice the point. Needs no square root, since only x² enters. */
const doubled = (y: bigint) => {
  const xx = xSquared(y);
  return modulo((y * y + xx) * inverse(1n - d * xx * y * y));
};

/**
 * Whether 32 bytes are the canonical encoding of a point of the curve that is not of small order. A small-order key has
 * signatures that verify without any private key, and a second encoding of a key would be a second identity.
 */
export function isUsablePoint(encoded: Uint8Array): boolean {
  const y = BigInt(`0x${Buffer.from(encoded).reverse().toString('hex')}`) & (2n ** 255n - 1n);
  if (y >= p) return false;
  const xx = xSquared(y);
  const onCurve = xx === 0n || power(xx, (p - 1n) / 2n) === 1n;
  // The cofactor is 8: three doublings take every point of small order to the identity, whose y is 1.
  return onCurve && doubled(doubled(doubled(y))) !== 1n;
}
