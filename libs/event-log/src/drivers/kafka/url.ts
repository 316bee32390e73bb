import { CountersignError } from '@countersign/errors';

export interface KafkaAddress {
  /** `host:port` of brokers to begin with. */
  readonly brokers: readonly string[];
  /** Null where the brokers let everybody in. */
  readonly login: {
    readonly mechanism: 'scram-sha-256' | 'scram-sha-512' | 'plain';
    readonly username: string;
    /** The password, or a file that holds it. */
    readonly password: { readonly text: string } | { readonly file: string };
  } | null;
  /** `system`: whom the operating system trusts; otherwise a PEM file of whom to trust; null: no TLS. */
  readonly tls: string | null;
}

const SHAPE = /^kafka:\/\/(?:([^@/?#]*)@)?([^@/?#]+)\/?(?:\?([^#]*))?$/;
const BROKER = /^[A-Za-z0-9._-]+(?::\d{1,5})?$/;
const DEFAULT_PORT = 9092;
const MECHANISMS = ['scram-sha-256', 'scram-sha-512', 'plain'] as const;
const KNOWN = ['tls', 'mechanism', 'passwordFile'];

// Never the URL itself: it may hold a password.
function refuse(detail: string): never {
  throw new CountersignError('config.invalid', { detail });
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return refuse('User or password in the URL of the event log is not percent-encoded.');
  }
}

/**
 * `kafka://[user[:password]@]host[:port][,host[:port]…][?tls=…&mechanism=…&passwordFile=…]`. Port 9092, mechanism
 * scram-sha-512 and no TLS unless told. Errors: `config.invalid`, which repeats no secret.
 */
export function parseKafkaUrl(url: string): KafkaAddress {
  const match = SHAPE.exec(url);
  if (match === null) return refuse('The URL of the event log cannot be read.');
  const [, user, hosts = '', query = ''] = match;
  const brokers = hosts.split(',').map((broker) => {
    if (!BROKER.test(broker))
      return refuse('The URL of the event log names brokers as host:port, joined by commas.');
    return broker.includes(':') ? broker : `${broker}:${DEFAULT_PORT}`;
  });
  const parameters = new URLSearchParams(query);
  for (const name of parameters.keys()) {
    if (!KNOWN.includes(name))
      refuse(`The URL of the event log has a parameter that is none of ${KNOWN.join(', ')}.`);
  }
  const tls = parameters.get('tls');
  if (tls !== null && tls !== 'system' && !tls.startsWith('/')) {
    refuse('The parameter tls of the event log is "system" or the absolute path of a PEM file.');
  }
  return { brokers, tls, login: user === undefined ? null : loginOf(user, parameters, tls !== null) };
}

function loginOf(user: string, parameters: URLSearchParams, secure: boolean): KafkaAddress['login'] {
  const [name = '', ...rest] = user.split(':');
  const file = parameters.get('passwordFile');
  const text = rest.length === 0 ? null : decode(rest.join(':'));
  if (name === '' || (text === null) === (file === null)) {
    refuse('The URL of the event log names a user with either a password or a passwordFile.');
  }
  const asked = parameters.get('mechanism') ?? 'scram-sha-512';
  const mechanism = MECHANISMS.find((known) => known === asked);
  if (mechanism === undefined) refuse(`The parameter mechanism is one of ${MECHANISMS.join(', ')}.`);
  if (mechanism === 'plain' && !secure)
    refuse('The mechanism plain sends the password itself: it needs tls.');
  return { mechanism, username: decode(name), password: file === null ? { text: text ?? '' } : { file } };
}
