import { CountersignError } from '@countersign/errors';

/** What the client's errors say, however deep they are wrapped. */
interface ClientError {
  readonly name?: unknown;
  /** Name of the error in Kafka's protocol. */
  readonly type?: unknown;
  readonly code?: unknown;
  readonly message?: unknown;
  readonly cause?: unknown;
  readonly originalError?: unknown;
  readonly errors?: unknown;
}

function* chainOf(thrown: unknown, depth = 0): Generator<ClientError> {
  if (typeof thrown !== 'object' || thrown === null || depth > 8) return;
  const error = thrown as ClientError;
  yield error;
  for (const inner of [
    error.cause,
    error.originalError,
    ...(Array.isArray(error.errors) ? error.errors : []),
  ]) {
    yield* chainOf(inner, depth + 1);
  }
}

/** Whether Kafka answered with this error of its protocol, `UNKNOWN_TOPIC_OR_PARTITION`. */
export const isProtocolError = (thrown: unknown, ...types: readonly string[]): boolean =>
  [...chainOf(thrown)].some(({ type }) => types.includes(String(type)));

const CERTIFICATE =
  /self[- ]signed certificate|unable to verify|altnames|certificate has expired|unable to get (local )?issuer/i;

/** The catalogued form of whatever the client threw. What no second attempt will mend is `config.invalid`. */
export function explained(thrown: unknown): CountersignError {
  if (thrown instanceof CountersignError) return thrown;
  for (const { name, type, message } of chainOf(thrown)) {
    if (name === 'KafkaJSSASLAuthenticationError' || type === 'SASL_AUTHENTICATION_FAILED') {
      return new CountersignError('config.invalid', {
        detail: 'Kafka does not accept the user and password of the event log.',
        cause: thrown,
      });
    }
    if (typeof type === 'string' && type.endsWith('AUTHORIZATION_FAILED')) {
      return new CountersignError('config.invalid', {
        detail: `Kafka does not let this user do that with the event log (${type}).`,
        next: 'Grant the user what docs/operating.md lists for reading or for appending.',
        cause: thrown,
      });
    }
    if (typeof message === 'string' && CERTIFICATE.test(message)) {
      return new CountersignError('config.invalid', {
        detail: 'The certificate of a Kafka broker is not one that the event log trusts.',
        next: 'Name the PEM file of the authority that issued it, with the parameter tls of the URL.',
        cause: thrown,
      });
    }
  }
  return unavailable(thrown);
}

/** The catalogued form of what may be otherwise in a moment. */
export function unavailable(cause: unknown): CountersignError {
  if (cause instanceof CountersignError && cause.code === 'recording.unavailable') return cause;
  return new CountersignError('recording.unavailable', { cause });
}
