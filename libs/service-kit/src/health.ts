/** A named condition of readiness: true, or resolved, is well; false, a rejection or two seconds of silence is not. */
export type HealthCheck = () => Promise<unknown> | boolean;

export interface CheckResult {
  readonly ok: boolean;
  /** How long the check took, milliseconds. */
  readonly milliseconds: number;
  /** Code of the error, never its text. */
  readonly code?: string;
}

export interface Readiness {
  readonly ready: boolean;
  readonly state: LifeState;
  readonly checks: Readonly<Record<string, CheckResult>>;
}

export type LifeState = 'starting' | 'ready' | 'stopping';

export interface Health {
  /** Adds a condition; the name is a fixed word. Returns what removes it again. */
  register(name: string, check: HealthCheck): () => void;
  readonly state: LifeState;
  setState(state: LifeState): void;
  readiness(): Promise<Readiness>;
}

/** How long a check may take, milliseconds. */
const patience = 2000;

async function run(check: HealthCheck): Promise<CheckResult> {
  const started = performance.now();
  const took = () => Math.round(performance.now() - started);
  let timer: NodeJS.Timeout | undefined;
  try {
    const silence = new Promise<'silent'>((resolve) => {
      timer = setTimeout(resolve, patience, 'silent');
    });
    const answer = await Promise.race([Promise.resolve(check()), silence]);
    if (answer === 'silent') return { ok: false, milliseconds: took(), code: 'timeout' };
    return { ok: answer !== false, milliseconds: took() };
  } catch (error) {
    const code =
      error instanceof Error && 'code' in error && typeof error.code === 'string' && error.code.length <= 64
        ? error.code
        : 'failed';
    return { ok: false, milliseconds: took(), code };
  } finally {
    clearTimeout(timer);
  }
}

/** Collects the conditions under which a service is ready. */
export function createHealth(): Health {
  const checks = new Map<string, HealthCheck>();
  let state: LifeState = 'starting';
  // Many probes at once share one round of checks.
  let round: Promise<Readiness> | undefined;

  const ask = async (): Promise<Readiness> => {
    const results = await Promise.all(
      [...checks].map(async ([name, check]) => [name, await run(check)] as const),
    );
    return {
      ready: state === 'ready' && results.every(([, result]) => result.ok),
      state,
      checks: Object.fromEntries(results),
    };
  };

  return {
    register(name, check) {
      checks.set(name, check);
      return () => {
        if (checks.get(name) === check) checks.delete(name);
      };
    },
    get state() {
      return state;
    },
    setState(next) {
      state = next;
    },
    readiness() {
      round ??= ask().finally(() => {
        round = undefined;
      });
      return round;
    },
  };
}
