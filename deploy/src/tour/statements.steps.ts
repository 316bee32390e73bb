import type { AgentPart } from '../session/index.js';
import { cast } from '../session/index.js';
import type { Answer } from './agent.js';
import type { Scene, Step } from './step.js';

/** A value of the sample that no mask would give: were it seen, something leaked. */
const seeded = /zyxquartz/i;

function shown(answer: Answer): string {
  if (answer.refusal !== null) {
    const { sqlstate, message, hint } = answer.refusal;
    return `ERROR ${sqlstate}: ${message}${hint === '' ? '' : `\nHINT: ${hint}`}`;
  }
  const rows = answer.rows.slice(0, 3).map((row) => JSON.stringify(row));
  const more = answer.rows.length - rows.length;
  return [
    ...rows,
    ...(more > 0 ? [`… and ${more} more ${more === 1 ? 'row' : 'rows'}`] : []),
    ...(rows.length === 0 ? [`${answer.count} rows`] : []),
  ].join('\n');
}

/** Sends one statement as an agent and shows what the evidence says of it. */
async function one(
  scene: Scene,
  part: AgentPart,
  statement: string,
  expect: { readonly verdict: string; readonly stage?: string },
): Promise<Answer> {
  const query = { kind: 'decision', agent: cast[part].id };
  const before = await scene.evidence.newest(query);
  const agent = await scene.agent(part);
  try {
    scene.say.sent(cast[part].id, statement);
    const answer = await agent.ask(statement);
    scene.say.got(shown(answer));
    const [record] = await scene.evidence.arrived(query, before, 1);
    if (record === undefined) throw new Error('No record arrived.');
    scene.say.recorded(record);
    scene.say.check(
      record.verdict === expect.verdict && (expect.stage === undefined || record.data.stage === expect.stage),
      `recorded as ${expect.verdict}${expect.stage === undefined ? '' : `, refused by ${expect.stage}`}`,
    );
    return answer;
  } finally {
    await agent.close();
  }
}

export const statementSteps: readonly Step[] = [
  {
    title: 'A plain read, allowed',
    async run(scene) {
      const answer = await one(
        scene,
        'analyst',
        'SELECT status, count(*) AS appointments FROM clinic.appointments GROUP BY status ORDER BY status',
        { verdict: 'allow' },
      );
      const total = answer.rows.reduce((sum, row) => sum + Number(row.appointments), 0);
      scene.say.check(total === 8000, 'all 8,000 appointments were counted');
    },
  },
  {
    title: 'Personal data, masked',
    async run(scene) {
      const answer = await one(
        scene,
        'analyst',
        'SELECT id, full_name, email, phone, birth_date, national_id, city FROM clinic.patients ORDER BY id DESC LIMIT 3',
        { verdict: 'modify' },
      );
      scene.say.check(answer.rows.length === 3, 'three patients came back');
      scene.say.check(!seeded.test(JSON.stringify(answer.rows)), 'name, e-mail and national id are hidden');
      scene.say.check(
        /"city":"Eichwald"/.test(JSON.stringify(answer.rows)),
        'what is not sensitive is as it was',
      );
    },
  },
  {
    title: 'A trick (CTE, alias and function) that still gives masked values',
    async run(scene) {
      const answer = await one(
        scene,
        'analyst',
        "WITH c(a, b) AS (SELECT id, full_name FROM clinic.patients) SELECT upper(b) || '!' AS city, to_jsonb(c)::text AS x FROM c WHERE a = 4001",
        { verdict: 'modify' },
      );
      scene.say.check(answer.rows.length === 1, 'one row came back');
      scene.say.check(!seeded.test(JSON.stringify(answer.rows)), 'renaming and computing show only the mask');
    },
  },
  {
    title: 'A masked column in WHERE, refused with the reason and the way out',
    async run(scene) {
      const answer = await one(
        scene,
        'analyst',
        "SELECT id, city FROM clinic.patients WHERE national_id = 'NI10007919'",
        { verdict: 'deny', stage: 'masking' },
      );
      scene.say.check(answer.refusal !== null, 'the answer is a refusal');
      scene.say.check((answer.refusal?.hint ?? '') !== '', 'it says what to do instead');
    },
  },
  {
    title: 'A statement that the role may not run, denied',
    async run(scene) {
      const answer = await one(scene, 'analyst', 'CREATE EXTENSION pgcrypto', {
        verdict: 'deny',
        stage: 'policy',
      });
      scene.say.check(answer.refusal?.sqlstate === '42501', 'the driver sees insufficient_privilege (42501)');
    },
  },
];
