import { apiName } from '../databases/index.js';
import { cast } from '../session/index.js';
import type { Scene, Step } from './step.js';

/** A value of the sample that no mask would give: were it seen, something leaked. */
const seeded = /zyxquartz/i;
const analyst = cast.analyst.id;

/** Asks the HTTP target as any client would, and shows what the evidence says of it. */
async function one(scene: Scene, path: string, verdict: string): Promise<{ status: number; text: string }> {
  const query = { kind: 'decision', agent: analyst };
  const before = await scene.evidence.newest(query);
  const token = await scene.deployment.people.sessionToken('analyst', apiName);
  scene.say.sent(analyst, `GET ${path}`);
  const response = await fetch(`http://127.0.0.1:${scene.deployment.ports.ingressHttp}${path}`, {
    headers: { authorization: `Bearer ${token}` },
  });
  const text = await response.text();
  scene.say.got(`${response.status} ${response.headers.get('content-type') ?? ''}\n${text}`);
  const [record] = await scene.evidence.arrived(query, before, 1);
  if (record === undefined) throw new Error('No record arrived.');
  scene.say.recorded(record);
  scene.say.check(record.verdict === verdict, `recorded as ${verdict}`);
  return { status: response.status, text };
}

export const requestSteps: readonly Step[] = [
  {
    title: 'An HTTP service behind the same gate: masked JSON, and an undeclared path denied',
    async run(scene) {
      const read = await one(scene, `/${apiName}/v1/appointments?limit=2`, 'modify');
      scene.say.check(read.status === 200, 'the appointments came back');
      scene.say.check(!seeded.test(read.text), 'names, e-mail addresses and telephone numbers are hidden');
      scene.say.check(/"room":"R\d+"/.test(read.text), 'what is not sensitive is as it was');
      const refused = await one(scene, `/${apiName}/v1/export`, 'deny');
      scene.say.check(
        refused.status === 403 && !seeded.test(refused.text),
        'what nobody declared is refused, with a problem that says why',
      );
    },
  },
];
