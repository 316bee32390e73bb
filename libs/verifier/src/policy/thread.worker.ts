import { parentPort } from 'node:worker_threads';
import { LocalPolicyRunner } from './runner.js';
import type { Answer, Request } from './thread.driver.js';

/** Runs policies in a thread of their own, so that another can end it. */
const runner = new LocalPolicyRunner();

parentPort?.on('message', async (request: Request) => {
  const result =
    request.kind === 'load' ? await runner.load(request.bundle) : await runner.decide(request.questions);
  const answer: Answer = { id: request.id, result };
  parentPort?.postMessage(answer);
});
