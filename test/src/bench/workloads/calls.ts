import { quantile } from '../statistics.js';
import type { Round } from '../ways.js';

/** Keeps so many calls in flight for a while; the value is calls a second. */
export async function keepInFlight(
  inFlight: number,
  seconds: number,
  call: () => Promise<unknown>,
): Promise<Round> {
  const latencies: number[] = [];
  const began = performance.now();
  const end = began + seconds * 1000;
  await Promise.all(
    Array.from({ length: inFlight }, async () => {
      for (let now = performance.now(); now < end; ) {
        await call();
        const after = performance.now();
        latencies.push(after - now);
        now = after;
      }
    }),
  );
  const took = (performance.now() - began) / 1000;
  const ascending = Float64Array.from(latencies).sort();
  return {
    value: latencies.length / took,
    latency: { p50: quantile(ascending, 0.5), p95: quantile(ascending, 0.95) },
  };
}
