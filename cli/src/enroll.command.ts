import { randomBytes } from 'node:crypto';
import { CountersignError } from '@countersign/errors';
import type { Command } from 'commander';
import { z } from 'zod';
import { type CommonFlags, ensureKeyFile, run, withSettings } from './approval/index.js';

interface EnrollFlags extends CommonFlags {
  readonly newKey: string;
  readonly role: string[];
  readonly send?: boolean;
}

const enrolled = z.object({
  id: z.string(),
  kind: z.string(),
  roles: z.array(z.string()),
  keyThumbprint: z.string(),
});

const alphabet = 'abcdefghijklmnopqrstuvwxyz234567';
const randomSlug = () => [...randomBytes(16)].map((byte) => alphabet[byte & 31]).join('');

/** `agent`, `person` or a whole id. */
function identityOf(text: string): { id: string; kind: 'agent' | 'person' } {
  const match = /^(agent|person)(:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)?$/.exec(text);
  if (match === null) {
    throw new CountersignError('request.invalid', {
      detail:
        'Who is enrolled is agent, person, agent:<slug> or person:<slug>; a slug is of a-z, 0-9 and hyphens.',
    });
  }
  const kind = match[1] === 'agent' ? 'agent' : 'person';
  return { id: `${kind}${match[2] ?? `:${randomSlug()}`}`, kind };
}

export function enrollCommand(program: Command): void {
  const command = program
    .command('enroll')
    .description('enrol an agent or a person: make a key if there is none, and print or send the enrolment')
    .argument(
      '<who>',
      'agent:<slug> or person:<slug>, never a name; agent or person alone takes a random slug',
    )
    .requiredOption(
      '--new-key <file>',
      'private key of the new principal; made (mode 0600) if the file is not there',
    )
    .option(
      '--role <role>',
      'of a person: administrator, approver or auditor; may be repeated',
      (role: string, roles: string[]) => [...roles, role],
      [],
    )
    .option('--send', 'enrol it, as the administrator that --id and --key name; otherwise only print it');
  withSettings(command).action(async (who: string, flags: EnrollFlags) => {
    await run(flags, async ({ client, say }) => {
      const { id, kind } = identityOf(who);
      const { publicKey, made } = ensureKeyFile(flags.newKey);
      if (made)
        process.stderr.write(`A new private key is in ${flags.newKey}. Nobody else needs it, ever.\n`);
      const enrolment = { id, kind, roles: flags.role, publicKey };
      if (flags.send !== true) {
        say(enrolment, () => JSON.stringify(enrolment, undefined, 2));
        return;
      }
      const answer = await client.call('POST', '/v1/principals', enrolled, enrolment);
      say(answer, () => `${answer.id} is enrolled with key ${answer.keyThumbprint}.`);
    });
  });
}
