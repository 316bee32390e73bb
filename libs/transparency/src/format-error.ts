/** Outside bytes do not follow the format they claim to be in. Its message holds none of those bytes. */
export class FormatError extends Error {
  override readonly name = 'FormatError';
}
