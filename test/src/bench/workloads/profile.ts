import { runLoad } from '../load/index.js';
import { summarise } from '../profile.js';
import { profiled } from '../profiler.client.js';
import type { Profile } from '../results.js';
import { agentLogin } from '../stage.driver.js';
import { appointmentKeys, selectByKey } from './keys.js';
import type { Workload } from './workload.js';

/** Where the ingress spends its time under the smallest statement. Not a measurement: sampling costs something. */
export const profile: Workload = {
  name: 'profile',
  about: 'a sampling profile of the ingress while rows are selected by key',
  async run({ gateways }, { seconds }) {
    const profiles: Profile[] = [];
    for (const gateway of gateways) {
      const pid = gateway.installation.deployment.services.get('ingress-proxy')?.pid;
      if (pid === undefined) continue;
      for (const connections of [1, 32]) {
        const login = await agentLogin(gateway, 'analyst');
        const before = await gateway.meter.size();
        let all = 0;
        const sampled = await profiled(pid, async () => {
          const report = await runLoad(
            {
              login,
              mode: 'simple',
              statement: selectByKey,
              keys: appointmentKeys,
              connections,
              warmUpSeconds: 0.5,
              seconds,
            },
            { began: () => undefined, ended: () => undefined },
          );
          all = report.all;
        });
        await gateway.meter.reached(before + 2 * all);
        const workload = `key, simple, ${connections} connection${connections === 1 ? '' : 's'}`;
        profiles.push(summarise(`ingress of the ${gateway.kind.name}`, workload, sampled));
      }
    }
    return { measurements: [], profiles };
  },
};
