import { join } from 'node:path';
import { canonicalJson, type PolicyInput, policyRpc } from '@countersign/contracts';
import { connectRpc } from '@countersign/rpc';
import type { Measurement } from '../results.js';
import { takeTurns } from '../ways.js';
import { keepInFlight } from './calls.js';
import type { Workload } from './workload.js';

const inputBytes = 1024;

/** Canonical JSON of a PolicyInput of 1 KB about an analyst who reads; each has another time, so none is remembered. */
function inputs(): () => Buffer {
  const about = (objects: number): PolicyInput => ({
    version: 1,
    time: 0,
    approval: null,
    session: {
      session: '019a0000-0000-7000-8000-000000000000',
      agent: 'agent:a-analyst',
      onBehalfOf: 'person:p-requester',
      delegation: [],
      grant: '019a0000-0000-7000-8000-000000000001',
      role: 'analyst',
      target: 'clinic',
      protocol: 'postgresql',
    },
    facts: {
      version: 1,
      protocol: 'postgresql',
      statements: 1,
      kind: 'SelectStmt',
      transaction: null,
      verbs: ['read'],
      risks: [],
      objects: Array.from({ length: objects }, (_, index) => ({
        name: `clinic.table_${String(index).padStart(2, '0')}`,
        kind: 'table',
        verbs: ['read'],
      })),
      unknownObjects: 0,
      labels: [{ label: 'contact.email', column: 'clinic.patients.email', uses: ['output'] }],
      parameters: { count: 1 },
    },
  });
  let objects = 1;
  while (canonicalJson(about(objects + 1)).length < inputBytes) objects += 1;
  // The members of a canonical text are sorted: the time stands last but one.
  const text = canonicalJson(about(objects));
  const [before = '', after = ''] = text.split('"time":0');
  let time = 1_800_000_000;
  return () => {
    time += 1;
    return Buffer.from(`${before}"time":${time}${after}`);
  };
}

export const decisions: Workload = {
  name: 'decisions',
  about: 'decisions of the shipped policy on inputs of 1 KB, through the policy service',
  async run({ gateways }, { seconds, rounds }) {
    const [gateway] = gateways;
    if (gateway === undefined) return { measurements: [] };
    const address = `unix:${join(gateway.installation.data, 'sockets', 'policy.sock')}`;
    const policy = connectRpc(policyRpc.PolicyServiceService, { address });
    await policy.whenConnected();
    const next = inputs();
    const measurements: Measurement[] = [];
    try {
      await keepInFlight(64, 1, () => policy.decide({ input: next() }));
      for (const inFlight of [1, 64]) {
        const way = {
          name: 'policy service',
          round: () => keepInFlight(inFlight, seconds, () => policy.decide({ input: next() })),
        };
        const about = { workload: 'decisions', setting: `${inFlight} in flight`, unit: 'decisions/s' };
        measurements.push(...(await takeTurns([way], rounds, about)));
      }
    } finally {
      policy.close();
    }
    return { measurements };
  },
};
