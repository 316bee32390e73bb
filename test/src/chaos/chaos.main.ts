import { Command, InvalidArgumentError } from 'commander';
import { chaos } from './chaos.driver.js';

/** Faults of one installation: what it publishes in that time fits into memory. */
const mostOfOneRound = 60;

function whole(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 0) throw new InvalidArgumentError('A whole number is needed.');
  return value;
}

const { faults: total, seed: first } = new Command('npm run chaos --')
  .description(
    'Strike every part of an installation while agents work, and judge what is left; status 1 if anything is wrong.',
  )
  .option('--faults <number>', 'how many in all', whole, mostOfOneRound)
  .option('--seed <number>', 'of the first round; each round of 60 faults has the next one', whole, 1)
  .parse()
  .opts<{ faults: number; seed: number }>();

for (let done = 0, seed = first; done < total; seed += 1) {
  const count = Math.min(mostOfOneRound, total - done);
  const { wrong, answered, matched, leaves } = await chaos({
    seed,
    faults: count,
    onFault: ({ victim, kind, forMilliseconds }, number) =>
      process.stdout.write(
        `seed ${seed}, ${number} of ${count}: ${victim} ${kind} for ${forMilliseconds} ms\n`,
      ),
  });
  process.stdout.write(
    `seed ${seed}: ${answered} asked, ${matched} ran as decided, ${leaves} leaves, ${wrong.length} wrong\n`,
  );
  for (const sentence of wrong) process.stdout.write(`  ✖ ${sentence}\n`);
  if (wrong.length > 0) process.exitCode = 1;
  done += count;
}
