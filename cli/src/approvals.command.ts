import type { Command } from 'commander';
import { z } from 'zod';
import { type CommonFlags, momentOf, run, shownParts, withSettings } from './approval/index.js';
import { box, facts, lookalikes, table } from './terminal/index.js';

const approval = z.object({
  id: z.string(),
  status: z.string(),
  agent: z.string(),
  onBehalfOf: z.string(),
  target: z.string(),
  role: z.string(),
  reason: z.string(),
  rules: z.array(z.string()),
  facts: z.unknown(),
  requestedAt: z.int(),
  expiresAt: z.int(),
  approver: z.string().nullable(),
});
type Approval = z.output<typeof approval>;
const page = z.object({ approvals: z.array(approval), next: z.string().nullable() });
const statement = z.object({
  statement: z.string(),
  parameters: z.array(z.string().nullable()),
  binary: z.array(z.object({ shown: z.string() }).nullable()).optional(),
});
type Statement = z.output<typeof statement>;
const answered = z.object({ id: z.string(), status: z.string(), expiresAt: z.int() });
/** What is told of the facts; all of them are in --json. */
const toldFacts = z.object({
  protocol: z.string().catch('postgresql'),
  verbs: z.array(z.string()).catch([]),
  risks: z.array(z.string()).catch([]),
  objects: z.array(z.object({ name: z.string() })).catch([]),
  labels: z.array(z.object({ label: z.string(), column: z.string() })).catch([]),
});

interface ListFlags extends CommonFlags {
  readonly status?: string;
  readonly cursor?: string;
}

const now = () => Math.floor(Date.now() / 1000);
const columns = () => process.stdout.columns ?? 100;
const joined = (words: readonly string[]) => (words.length === 0 ? '-' : words.join(', '));

/** Everything an approver needs, in this order: who and why, what it touches, and the exact text. */
function shown(found: Approval, content: Statement): string {
  const told = toldFacts.safeParse(found.facts);
  const { protocol, verbs, risks, objects, labels } = told.success
    ? told.data
    : { protocol: 'postgresql', verbs: [], risks: [], objects: [], labels: [] };
  const parts = shownParts(protocol, content);
  const odd = lookalikes(parts.map(({ text }) => text).join(''));
  return [
    facts([
      ['approval', found.id],
      ['status', found.status],
      ['agent', `${found.agent} for ${found.onBehalfOf}`],
      ['target', `${found.target}, role ${found.role}`],
      ['why', found.reason],
      ['rules', joined(found.rules)],
      ['does', joined(verbs)],
      ['risks', joined(risks)],
      ['objects', joined(objects.map(({ name }) => name))],
      ['labels', joined(labels.map(({ label, column }) => `${label} (${column})`))],
      ['asked', momentOf(found.requestedAt, now())],
      ['until', momentOf(found.expiresAt, now())],
    ]),
    '',
    ...parts.map(({ title, text }) => box(title, text, columns())),
    ...(odd.length === 0
      ? []
      : [`It holds characters outside ASCII, which may look like others: ${odd.map(named).join(' ')}`]),
  ].join('\n');
}

const named = (character: string) =>
  `${character} (U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')})`;

function addList(approvals: Command): void {
  const command = approvals
    .command('list')
    .description('list approvals, newest first')
    .option('--status <status>', 'pending, approved, denied, expired or consumed')
    .option('--cursor <next>', 'where the page before ended');
  withSettings(command).action(async (flags: ListFlags) => {
    await run(flags, async ({ client, say }) => {
      const query = new URLSearchParams({
        ...(flags.status === undefined ? {} : { status: flags.status }),
        ...(flags.cursor === undefined ? {} : { cursor: flags.cursor }),
      });
      const answer = await client.call('GET', `/v1/approvals?${query}`, page);
      const rows = answer.approvals.map(({ id, status, agent, target, reason, expiresAt }) => [
        ...[id, status, agent, target, momentOf(expiresAt, now()), reason],
      ]);
      const more = answer.next === null ? '' : `\nMore with --cursor ${answer.next}`;
      say(answer, () => `${table(['APPROVAL', 'STATUS', 'AGENT', 'TARGET', 'UNTIL', 'WHY'], rows)}${more}`);
    });
  });
}

function addShow(approvals: Command): void {
  const command = approvals
    .command('show')
    .description('show what exactly would run, and why it needs a person; that you looked is recorded')
    .argument('<approval>', 'id of the approval');
  withSettings(command).action(async (id: string, flags: CommonFlags) => {
    await run(flags, async ({ client, say }) => {
      const path = `/v1/approvals/${encodeURIComponent(id)}`;
      const found = await client.call('GET', path, approval);
      const content = await client.call('GET', `${path}/statement`, statement);
      say({ ...found, ...content }, () => shown(found, content));
    });
  });
}

function addAnswer(approvals: Command, name: 'approve' | 'deny', description: string): void {
  const command = approvals
    .command(name)
    .description(description)
    .argument('<approval>', 'id of the approval');
  withSettings(command).action(async (id: string, flags: CommonFlags) => {
    await run(flags, async ({ client, say }) => {
      const answer = await client.call('POST', `/v1/approvals/${encodeURIComponent(id)}/${name}`, answered);
      const until =
        answer.status === 'approved'
          ? ` It may be used once, until ${momentOf(answer.expiresAt, now())}.`
          : '';
      say(answer, () => `Approval ${answer.id} is ${answer.status}.${until}`);
    });
  });
}

export function approvalsCommand(program: Command): void {
  const approvals = program.command('approvals').description('actions of agents that wait for a person');
  addList(approvals);
  addShow(approvals);
  addAnswer(
    approvals,
    'approve',
    'let exactly this action run, once: a person with the role approver, not the requester',
  );
  addAnswer(approvals, 'deny', 'refuse this action: a person with the role approver, not the requester');
}
