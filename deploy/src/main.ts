import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import pc from 'picocolors';
import { apiName } from './databases/index.js';
import { type Deployment, startDeployment } from './deployment.js';
import { parseOptions } from './options.js';
import { cast } from './session/index.js';
import { explained } from './state/index.js';
import { runTour } from './tour/index.js';

const began = performance.now();
const options = parseOptions(
  process.argv.slice(2),
  fileURLToPath(new URL('../../', import.meta.url)),
  process.env,
);
const say = (line: string): void => {
  process.stdout.write(`${line}\n`);
};
const seconds = (since: number): string => ((performance.now() - since) / 1000).toFixed(1);

/** Ends at the first signal to stop; the terminal, npm and the way in may each pass it on. */
const stopping = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => stopping.abort());
const stopAsked = once(stopping.signal, 'abort');
/** Rejects when the installation cannot go on. */
const broken = Promise.withResolvers<never>();
broken.promise.catch(() => undefined);
process.on('uncaughtException', (error) => broken.reject(error));

function explainUse({ ports, people, approvalApi, evidenceApi, fingerprints, logs }: Deployment): void {
  const key = people.keyFile('analyst');
  say(`
${pc.bold('Countersign stays up.')} Ctrl-C stops everything; the next start resumes this state.

  Connect as an agent   psql "host=127.0.0.1 port=${ports.ingress} dbname=clinic user=${cast.analyst.id}"
    with as password    npx countersign token --url ${approvalApi} --id ${cast.analyst.id} --key ${key} --audience clinic --grant ${people.grantOf('analyst')}
  Ask the HTTP target   curl -H "Authorization: Bearer $TOKEN" http://127.0.0.1:${ports.ingressHttp}/${apiName}/v1/appointments?limit=3
    with as $TOKEN      npx countersign token --url ${approvalApi} --id ${cast.analyst.id} --key ${key} --audience ${apiName} --grant ${people.grantOf('analyst', apiName)}
  Answer approvals      npx countersign approvals list --url ${approvalApi} --id ${cast.approver.id} --key ${people.keyFile('approver')}
  Evidence API          ${evidenceApi}/docs
    with as bearer      npx countersign token --url ${approvalApi} --id ${cast.auditor.id} --key ${people.keyFile('auditor')} --audience countersign-evidence
  Verify a dossier      npx countersign verify <dossier> ${fingerprints.map((one) => `--trust ${one}`).join(' ')}
  Logs of the services  ${logs}`);
}

async function run(): Promise<number> {
  say(pc.bold('Countersign'));
  say(pc.dim(`State: ${options.data}`));
  const starting = startDeployment({
    data: options.data,
    port: options.port,
    eventLog: options.eventLog,
    progress: (line) => say(`  ${pc.green('✔')} ${line}`),
    signal: stopping.signal,
    onFailure: broken.reject,
  });
  const deployment = await starting.catch((failure: unknown) => {
    if (!stopping.signal.aborted) throw failure;
    say('Stopped.');
    return null;
  });
  if (deployment === null) return 130;
  say(`  Ready after ${seconds(began)} s.`);
  let status = 0;
  try {
    const asked = Promise.race([stopAsked.then(() => 'stop' as const), broken.promise]);
    if (options.tour || options.once) {
      const result = await Promise.race([runTour(deployment, options.data, say), asked]);
      if (result === 'stop') return 130;
      status = result.failures.length === 0 ? 0 : 1;
      say('');
      for (const failure of result.failures) say(pc.red(`  ✖ ${failure}`));
      say(
        status === 0
          ? pc.green(`All ${result.steps} steps did what they show.`)
          : pc.red(`${result.failures.length} claims did not hold; the logs are in ${deployment.logs}.`),
      );
    }
    if (!options.once) {
      explainUse(deployment);
      await asked;
    }
  } finally {
    say('\nStopping …');
    await deployment.stop();
    say('Stopped.');
  }
  return status;
}

try {
  process.exitCode = await run();
} catch (failure) {
  const error = explained(failure, options.data);
  const [sentence, next] =
    error.code === 'internal' ? [String(failure), 'The logs may say more.'] : [error.message, error.next];
  process.stderr.write(`${pc.red('error')} ${sentence}\n${next}\n`);
  process.exitCode = 1;
}
// Whatever still holds the process open has been told to stop.
setTimeout(() => process.exit(), 2_000).unref();
