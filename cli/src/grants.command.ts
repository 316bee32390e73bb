import { CountersignError } from '@countersign/errors';
import type { Command } from 'commander';
import { z } from 'zod';
import { type CommonFlags, momentOf, run, secondsOf, withSettings } from './approval/index.js';
import { table } from './terminal/index.js';

const grant = z.object({
  id: z.string(),
  status: z.string(),
  agent: z.string(),
  onBehalfOf: z.string(),
  target: z.string(),
  role: z.string(),
  expiresAt: z.int(),
  requestedBy: z.string(),
});
const page = z.object({ grants: z.array(grant), next: z.string().nullable() });

interface RequestFlags extends CommonFlags {
  readonly agent?: string;
  readonly onBehalfOf?: string;
  readonly target: string;
  readonly role: string;
  readonly for: string;
}

interface ListFlags extends CommonFlags {
  readonly status?: string;
  readonly cursor?: string;
}

const now = () => Math.floor(Date.now() / 1000);

function listed(grants: readonly z.output<typeof grant>[]): string {
  return table(
    ['GRANT', 'STATUS', 'AGENT', 'FOR', 'TARGET', 'ROLE', 'UNTIL'],
    grants.map(({ id, status, agent, onBehalfOf, target, role, expiresAt }) => [
      ...[id, status, agent, onBehalfOf, target, role],
      momentOf(expiresAt, now()),
    ]),
  );
}

function addRequest(grants: Command): void {
  const command = grants
    .command('request')
    .description('ask for a grant; somebody else activates it')
    .option('--agent <id>', 'the agent that will act (default: you)')
    .option('--on-behalf-of <id>', 'the person for whom it acts (default: you; an agent must name one)')
    .requiredOption('--target <name>', 'the target')
    .requiredOption('--role <role>', 'the role in which it acts, such as reader, analyst or operator')
    .option('--for <period>', 'how long, such as 30m, 8h or 2d', '8h');
  withSettings(command).action(async (flags: RequestFlags) => {
    await run(flags, async ({ client, settings, say }) => {
      if (flags.onBehalfOf === undefined && settings.id?.startsWith('agent:') === true)
        throw new CountersignError('config.invalid', {
          detail: 'An agent acts for a person, so the request must name one.',
          next: 'Give --on-behalf-of with the id of the person, such as person:p-17.',
        });
      const answer = await client.call('POST', '/v1/grants', grant, {
        agent: flags.agent ?? settings.id ?? '',
        onBehalfOf: flags.onBehalfOf ?? settings.id ?? '',
        target: flags.target,
        role: flags.role,
        expiresAt: now() + secondsOf(flags.for),
      });
      say(answer, () => `Grant ${answer.id} is ${answer.status}.`);
    });
  });
}

function addList(grants: Command): void {
  const command = grants
    .command('list')
    .description('list grants, newest first')
    .option('--status <status>', 'requested, active, revoked or expired')
    .option('--cursor <next>', 'where the page before ended');
  withSettings(command).action(async (flags: ListFlags) => {
    await run(flags, async ({ client, say }) => {
      const query = new URLSearchParams({
        ...(flags.status === undefined ? {} : { status: flags.status }),
        ...(flags.cursor === undefined ? {} : { cursor: flags.cursor }),
      });
      const answer = await client.call('GET', `/v1/grants?${query}`, page);
      const more = answer.next === null ? '' : `\nMore with --cursor ${answer.next}`;
      say(answer, () => `${listed(answer.grants)}${more}`);
    });
  });
}

function addChange(grants: Command, name: 'activate' | 'revoke', description: string): void {
  const command = grants.command(name).description(description).argument('<grant>', 'id of the grant');
  withSettings(command).action(async (id: string, flags: CommonFlags) => {
    await run(flags, async ({ client, say }) => {
      const answer = await client.call('POST', `/v1/grants/${encodeURIComponent(id)}/${name}`, grant);
      say(answer, () => `Grant ${answer.id} is ${answer.status}.`);
    });
  });
}

export function grantsCommand(program: Command): void {
  const grants = program.command('grants').description('permissions of agents on targets');
  addList(grants);
  addRequest(grants);
  addChange(grants, 'activate', 'activate a grant: an administrator or approver who is not party to it');
  addChange(grants, 'revoke', 'revoke a grant, for good');
}
