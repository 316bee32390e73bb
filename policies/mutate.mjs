// Changes the policy in every way that mutations.json lists, and asks which cases notice. Fails unless every mutation is
// noticed, and every case is the only one to notice some mutation: a case that is not could be left out.
// --show prints who notices each.
import { spawn } from 'node:child_process';
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { isExpected, readCases } from './tools/cases.mjs';
import { inTemporaryFolder, opaFile, policies, sourcesArgument, whyNoOpa } from './tools/opa.mjs';

const why = whyNoOpa();
if (why !== null) {
  process.stdout.write(`SKIP mutations of the policy: ${why}\n`);
  process.exit(process.env.POLICY_TOOLS === 'required' ? 1 : 0);
}

const cases = readCases();
const mutations = JSON.parse(readFileSync(join(policies, 'mutations.json'), 'utf8'));
const query = '[decision | some entry in data.cases; decision := data.gateway.decision with input as entry]';

const failures = [];
const onlyNotice = new Set();
process.exitCode = await inTemporaryFolder(async (folder) => {
  const inputs = join(folder, 'cases.json');
  writeFileSync(inputs, JSON.stringify({ cases: cases.map(({ input }) => input) }));
  const plain = await noticing(join(policies, sourcesArgument), inputs);
  if (plain.length > 0) failures.push(`Without any mutation: ${plain.join('; ')}`);

  const waiting = mutations.map((mutation, index) => ({ ...mutation, index }));
  const work = async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const names = await noticing(mutated(folder, next), inputs);
      if (process.argv.includes('--show'))
        say(`${next.file}: ${next.find.trim()} → ${next.replace.trim()}`, names);
      if (names.length === 0) failures.push(`Nobody notices in ${next.file}: ${next.find} → ${next.replace}`);
      if (names.length === 1) onlyNotice.add(names[0]);
    }
  };
  await Promise.all(Array.from({ length: availableParallelism() }, work));
  for (const { name } of cases) {
    if (!onlyNotice.has(name)) failures.push(`No mutation is noticed by this case alone: ${name}`);
  }
  for (const failure of failures) process.stdout.write(`✖ ${failure}\n`);
  process.stdout.write(`${mutations.length} mutations, ${cases.length} cases, ${failures.length} failures\n`);
  return failures.length === 0 ? 0 : 1;
});

function say(title, names) {
  process.stdout.write(`${title}\n${names.map((name) => `    ${name}\n`).join('')}`);
}

/** A copy of the policy with one text replaced. */
function mutated(folder, { index, file, find, replace }) {
  const copy = join(folder, String(index));
  cpSync(join(policies, sourcesArgument), copy, { recursive: true });
  const text = readFileSync(join(copy, file), 'utf8');
  if (text.split(find).length !== 2) throw new Error(`In ${file} this does not stand exactly once: ${find}`);
  writeFileSync(
    join(copy, file),
    text.replace(find, () => replace),
  );
  return copy;
}

/** Names of the cases that a policy does not decide as expected. */
async function noticing(policy, inputs) {
  const decisions = await evaluate(['--data', policy, '--data', inputs]);
  return cases.filter(({ expect }, index) => !isExpected(expect, decisions[index])).map(({ name }) => name);
}

function evaluate(args) {
  return new Promise((resolve, reject) => {
    const child = spawn(opaFile(), ['eval', '--format', 'raw', ...args, query]);
    const output = [];
    const errors = [];
    child.stdout.on('data', (chunk) => output.push(chunk));
    child.stderr.on('data', (chunk) => errors.push(chunk));
    child.once('error', reject);
    child.once('close', (status) =>
      status === 0
        ? resolve(JSON.parse(Buffer.concat(output).toString()))
        : reject(new Error(`${Buffer.concat(output)}${Buffer.concat(errors)}`)),
    );
  });
}
