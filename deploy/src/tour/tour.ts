import { join } from 'node:path';
import type { EvidenceRecord } from '@countersign/controls';
import { toCountersignError } from '@countersign/errors';
import pc from 'picocolors';
import type { Deployment } from '../deployment.js';
import { Agent } from './agent.js';
import { approvalSteps } from './approval.steps.js';
import { Evidence } from './evidence.client.js';
import { evidenceSteps } from './evidence.steps.js';
import { requestSteps } from './requests.steps.js';
import { statementSteps } from './statements.steps.js';
import type { Sayings, Step } from './step.js';

/** The eleven steps, in their order. */
export const steps: readonly Step[] = [
  ...statementSteps,
  ...approvalSteps,
  ...requestSteps,
  ...evidenceSteps,
];

export interface TourResult {
  readonly steps: number;
  /** Claims that did not hold, with the step's number. */
  readonly failures: readonly string[];
}

const indent = (text: string): string => text.replaceAll('\n', `\n${' '.repeat(15)}`);

/** Shows the guided session, a step after the other; goes on after a step that failed. */
export async function runTour(
  deployment: Deployment,
  data: string,
  write: (line: string) => void,
): Promise<TourResult> {
  const evidence = new Evidence(deployment.evidenceApi, () => deployment.people.evidenceToken('auditor'));
  const failures: string[] = [];
  for (const [position, step] of steps.entries()) {
    const number = position + 1;
    write(
      `\n${pc.bold(`${String(number).padStart(2)}  ${step.title}`)} ${pc.dim(`(${number} of ${steps.length})`)}`,
    );
    const line = (label: string, text: string): void =>
      write(`    ${pc.dim(label.padEnd(10))} ${indent(text)}`);
    const say: Sayings = {
      sent: (who, text) => line('sent', `${pc.dim(`by ${who}:`)} ${pc.cyan(text)}`),
      got: (text) => line('answer', text),
      recorded: (record: EvidenceRecord) => {
        const rules = record.data.rules;
        line(
          'rule',
          Array.isArray(rules) && rules.length > 0 ? rules.join(', ') : 'none: no policy decided this',
        );
        const controls = record.controls.map(({ id, relation }) => `${id} (${relation})`);
        line('control', controls.length === 0 ? 'none' : controls.join(', '));
      },
      unrecorded: (why) => {
        line('rule', `none: ${why}`);
        line('control', `none: ${why}`);
      },
      check: (holds, claim) => {
        write(`    ${holds ? pc.green('✔') : pc.red('✖')} ${claim}`);
        if (!holds) failures.push(`Step ${number}: ${claim}`);
      },
    };
    try {
      await step.run({
        deployment,
        evidence,
        output: join(data, 'dossiers'),
        agent: (part) => Agent.connect(deployment.people, part, deployment.ports.ingress),
        say,
      });
    } catch (failure) {
      const error = toCountersignError(failure);
      say.check(
        false,
        error.code === 'internal' ? `the step ended early: ${String(failure)}` : error.message,
      );
    }
  }
  return { steps: steps.length, failures };
}
