import { CountersignError } from '@countersign/errors';

/** Exit codes of a service; those of sysexits(3) where it has one. */
export const exitCodes = {
  /** Asked to stop, and stopped in time. */
  stopped: 0,
  /** Asked to stop, but something did not end in time. */
  unfinished: 1,
  /** It did not start, or an error nobody caught ended it. */
  failed: 70,
  /** No space left, or another failure of input and output. */
  storage: 74,
  /** The configuration is not valid. */
  configuration: 78,
} as const;

interface SystemError extends Error {
  readonly code: string;
  readonly address?: string;
  readonly port?: number;
  readonly path?: string;
}

function systemErrorIn(thrown: unknown, depth = 0): SystemError | undefined {
  if (!(thrown instanceof Error) || depth > 5) return undefined;
  if ('code' in thrown && (thrown.code === 'EADDRINUSE' || thrown.code === 'EACCES' || isFull(thrown.code)))
    return thrown as SystemError;
  return systemErrorIn(thrown.cause, depth + 1);
}

const isFull = (code: unknown) => code === 'ENOSPC' || code === 'EDQUOT' || code === '53100';

/**
 * The catalogued form of what ended a service or kept it from starting. A port in use and a full disk have an entry of
 * their own, also where they come wrapped.
 */
export function catalogued(thrown: unknown): CountersignError {
  const system = systemErrorIn(thrown);
  if (system !== undefined && isFull(system.code)) {
    const where = system.path === undefined ? {} : { detail: `The file is ${system.path}.` };
    return new CountersignError('service.disk_full', { ...where, cause: thrown });
  }
  if (system?.code === 'EADDRINUSE') {
    const where = system.port === undefined ? system.address : `${system.address ?? '*'}:${system.port}`;
    return new CountersignError('service.port_in_use', {
      ...(where === undefined ? {} : { detail: `The address is ${where}.` }),
      cause: thrown,
    });
  }
  if (system?.code === 'EACCES' && system.port !== undefined) {
    return new CountersignError('config.invalid', {
      detail: `This user may not listen on port ${system.port}.`,
      cause: thrown,
    });
  }
  return thrown instanceof CountersignError ? thrown : new CountersignError('internal', { cause: thrown });
}

/** The exit code that tells an operator's supervisor what kind of failure it was. */
export function exitCodeOf(error: CountersignError): number {
  if (error.code === 'config.invalid' || error.code === 'service.port_in_use') return exitCodes.configuration;
  if (error.code === 'service.disk_full') return exitCodes.storage;
  return exitCodes.failed;
}
