import {
  exitCodes,
  type Progress,
  splitLines,
  ThreadPolicyRunner,
  verifyDossier,
} from '@countersign/verifier';
import { type Command, InvalidArgumentError } from 'commander';
import pc from 'picocolors';
import { readDossierFile, renderReport } from './verify/index.js';

interface VerifyArguments {
  readonly trust: readonly string[];
  readonly json: boolean;
}

const HELP = `
A fingerprint is "sha256:" and the hexadecimal SHA-256 of a public key (SubjectPublicKeyInfo in DER): of the
deployment's certificate authority or of its checkpoint key. Get it by another way than the dossier. Every one that you
give must be of a key that the dossier was made with.

Exit codes:
  ${exitCodes.authentic}  authentic: everything fits, every fingerprint given is of one of its keys, and they vouch for it
  ${exitCodes.consistent}  consistent: everything fits, but a fingerprint given is of none of its keys, or they do not vouch for all of it
  ${exitCodes.tampered}  tampered: something is not what it claims to be, or no fingerprint given is of one of its keys
  ${exitCodes.unreadable}  unreadable: it is no dossier that this version can read to its end
  1  the command failed, for example because there is no such file`;

/** `countersign verify`: checks a dossier offline. */
export function verifyCommand(program: Command): void {
  program
    .command('verify')
    .description(
      'Check a dossier offline: who wrote it, that nothing is missing, that policy decided as recorded.',
    )
    .argument('<dossier>', 'the file, plain or gzip')
    .option(
      '--trust <fingerprint>',
      'a key that you trust; repeatable: each must be of the dossier, and one is enough',
      collectFingerprint,
      [],
    )
    .option('--json', 'print the report as JSON', false)
    .addHelpText('after', HELP)
    .action(verify);
}

async function verify(path: string, { trust, json }: VerifyArguments): Promise<void> {
  const progress = process.stderr.isTTY ? showProgress : undefined;
  // The policies of a dossier are programs of whoever made it: in a thread they cannot hold this command up.
  const runner = new ThreadPolicyRunner();
  const report = await verifyDossier(splitLines(readDossierFile(path)), {
    trust,
    runner,
    ...(progress === undefined ? {} : { onProgress: progress }),
  }).finally(() => runner.close());
  if (progress !== undefined) process.stderr.write('\r\u001b[K');
  process.stdout.write(json ? `${JSON.stringify(report, null, 2)}\n` : renderReport(report, pc));
  process.exitCode = exitCodes[report.verdict];
}

function showProgress({ stage, events, ofEvents }: Progress): void {
  const part = ofEvents === 0 ? '' : ` ${Math.floor((100 * events) / ofEvents)} %`;
  process.stderr.write(`\r\u001b[K${pc.dim(`verifying ${stage}${stage === 'event' ? `s${part}` : ''}`)}`);
}

function collectFingerprint(text: string, before: readonly string[]): readonly string[] {
  if (!/^sha256:[0-9a-f]{64}$/i.test(text.trim()))
    throw new InvalidArgumentError('A fingerprint is "sha256:" and 64 hexadecimal digits.');
  return [...before, text.trim().toLowerCase()];
}
