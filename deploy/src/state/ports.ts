import { createServer } from 'node:net';
import { CountersignError } from '@countersign/errors';

/** What listens where on loopback, from the first port of an installation. */
export interface Ports {
  readonly ingress: number;
  readonly approvalApi: number;
  readonly evidenceApi: number;
  readonly target: number;
  readonly store: number;
  /** Where agents ask the HTTP target. */
  readonly ingressHttp: number;
  /** The sample's HTTP service. */
  readonly sampleApi: number;
  /** The event log's own Kafka broker, where there is one. */
  readonly kafka: number;
}

/** Ports that one installation uses, from its first port. */
export const portCount = 8;

export function portsFrom(first: number): Ports {
  return {
    ingress: first,
    approvalApi: first + 1,
    evidenceApi: first + 2,
    target: first + 3,
    store: first + 4,
    ingressHttp: first + 5,
    sampleApi: first + 6,
    kafka: first + 7,
  };
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  return new Promise((resolve) => {
    server.once('error', () => resolve(false));
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => server.close(() => resolve(true)));
  });
}

/** Throws service.port_in_use naming every port that something else listens on. */
export async function demandFree(ports: Ports): Promise<void> {
  const taken: string[] = [];
  for (const [part, port] of Object.entries(ports)) {
    if (!(await isFree(port))) taken.push(`${port} (for ${part})`);
  }
  if (taken.length === 0) return;
  throw new CountersignError('service.port_in_use', {
    detail: `Taken: ${taken.join(', ')}.`,
    next: 'Stop it, or choose other ports with --port <first port>.',
  });
}
