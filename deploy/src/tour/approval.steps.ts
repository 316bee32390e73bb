import { CountersignError } from '@countersign/errors';
import { z } from 'zod';
import type { Part } from '../session/index.js';
import { cast } from '../session/index.js';
import type { Answer } from './agent.js';
import type { Scene, Step } from './step.js';

const operator = cast.operator.id;
const held = z.object({ id: z.uuid(), status: z.string() });
const list = z.object({ approvals: z.array(held) });
const content = z.looseObject({ statement: z.string() });

/** The one approval that waits; polls, because the hold is on its way. */
async function pending(scene: Scene): Promise<string> {
  for (let tries = 0; tries < 100; tries += 1) {
    const { approvals } = await scene.deployment.people
      .client('approver')
      .call('GET', '/v1/approvals?status=pending', list);
    const [found] = approvals;
    if (found !== undefined) return found.id;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error('No approval was asked for.');
}

async function answerAs(scene: Scene, part: Part, id: string, verdict: 'approve' | 'deny'): Promise<string> {
  scene.say.sent(cast[part].id, `POST /v1/approvals/${id}/${verdict}`);
  try {
    const { status } = await scene.deployment.people
      .client(part)
      .call('POST', `/v1/approvals/${id}/${verdict}`, held, {});
    scene.say.got(`200: ${status}`);
    return status;
  } catch (error) {
    if (!(error instanceof CountersignError)) throw error;
    scene.say.got(`refused: ${error.code}: ${error.message}`);
    return error.code;
  }
}

/** Runs a statement that is held, while `meanwhile` deals with the approval it waits for. */
async function whileHeld(
  scene: Scene,
  statement: string,
  meanwhile: (approval: string) => Promise<void>,
): Promise<Answer> {
  const agent = await scene.agent('operator');
  try {
    agent.onNotice((notice) => scene.say.got(`NOTICE: ${notice}`));
    scene.say.sent(operator, statement);
    const running = agent.ask(statement);
    running.catch(() => undefined);
    await meanwhile(await pending(scene));
    const answer = await running;
    scene.say.got(
      answer.refusal === null
        ? `${answer.count} rows`
        : `ERROR ${answer.refusal.sqlstate}: ${answer.refusal.message}`,
    );
    scene.say.check(answer.notices.length > 0, 'the connection waited, and was told so by a NOTICE');
    return answer;
  } finally {
    await agent.close();
  }
}

/** Rows that the held statements clear, sent by the operator as an ordinary bounded write. */
async function stage(scene: Scene): Promise<void> {
  const query = { kind: 'decision', agent: operator };
  const before = await scene.evidence.newest(query);
  const agent = await scene.agent('operator');
  try {
    const statement = "INSERT INTO clinic.import_staging (batch) VALUES ('batch-1'), ('batch-2')";
    scene.say.sent(operator, statement);
    const answer = await agent.ask(statement);
    scene.say.got(answer.refusal === null ? `${answer.count} rows` : `ERROR ${answer.refusal.message}`);
    scene.say.check(answer.refusal === null, 'the operator staged two rows to clear');
    // Its record has arrived before the step looks for those of the held statement.
    for (const record of await scene.evidence.arrived(query, before, 1)) scene.say.recorded(record);
  } finally {
    await agent.close();
  }
}

async function decisions(
  scene: Scene,
  before: number,
  count: number,
  verdicts: readonly string[],
): Promise<void> {
  const records = await scene.evidence.arrived({ kind: 'decision', agent: operator }, before, count);
  for (const record of records) scene.say.recorded(record);
  const seen = records.map((record) => record.verdict);
  scene.say.check(
    verdicts.every((verdict) => seen.includes(verdict as never)),
    `each verdict is its own event: ${seen.join(', ')}`,
  );
}

export const clearing = 'DELETE FROM clinic.import_staging';

export const approvalSteps: readonly Step[] = [
  {
    title: 'A DELETE without bounds: held until another person approves, then run',
    async run(scene) {
      await stage(scene);
      const before = await scene.evidence.newest({ kind: 'decision', agent: operator });
      const answer = await whileHeld(scene, clearing, async (id) => {
        const seen = await scene.deployment.people
          .client('approver')
          .call('GET', `/v1/approvals/${id}/statement`, content);
        scene.say.check(seen.statement === clearing, 'the approver sees the exact statement');
        scene.say.check(
          (await answerAs(scene, 'approver', id, 'approve')) === 'approved',
          'another person approved',
        );
      });
      scene.say.check(answer.refusal === null && answer.count >= 2, 'it ran once it was approved');
      await decisions(scene, before, 2, ['step_up', 'allow']);
    },
  },
  {
    title: 'The same with one character changed: needs its own approval',
    async run(scene) {
      await stage(scene);
      const before = await scene.evidence.newest({ kind: 'decision', agent: operator });
      const answer = await whileHeld(scene, `${clearing};`, async (id) => {
        scene.say.check(
          (await answerAs(scene, 'approver', id, 'deny')) === 'denied',
          'the person denied it this time',
        );
      });
      scene.say.check(
        answer.refusal !== null,
        'it did not run: the first approval covered the other text alone',
      );
      await decisions(scene, before, 2, ['step_up', 'deny']);
    },
  },
  {
    title: 'A self-approval and an approval by an agent, refused',
    async run(scene) {
      await stage(scene);
      const before = await scene.evidence.newest({ kind: 'approval' });
      await whileHeld(scene, `${clearing} -- again`, async (id) => {
        scene.say.check(
          (await answerAs(scene, 'requester', id, 'approve')) === 'approval.self',
          'the person for whom the agent acts may not approve',
        );
        scene.say.check(
          (await answerAs(scene, 'analyst', id, 'approve')) === 'auth.kind_forbidden',
          'an agent may not approve',
        );
        await answerAs(scene, 'approver', id, 'deny');
      });
      const records = await scene.evidence.arrived({ kind: 'approval' }, before, 4);
      const refused = records.filter((record) => record.data.state === 'refused');
      for (const record of refused) scene.say.recorded(record);
      scene.say.check(refused.length === 2, 'both attempts are evidence');
    },
  },
];
