import { CountersignError, type ErrorCode } from '@countersign/errors';

/**
 * What a service answered, as an agent may hear it: its own refusals pass, everything else (unreachable, too slow,
 * broken) becomes the service's `unavailable`.
 */
export function answerOf(
  thrown: unknown,
  families: readonly string[],
  unavailable: ErrorCode,
): CountersignError {
  if (thrown instanceof CountersignError && families.some((family) => thrown.code.startsWith(family))) {
    return thrown;
  }
  return new CountersignError(unavailable, { cause: thrown });
}
