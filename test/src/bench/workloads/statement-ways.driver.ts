import type { AgentPart } from '@countersign/deploy';
import { cpuBetween, cpuOf, type ProcessGroups } from '../cpu.store.js';
import { type LoadOrder, type LoadReport, type Login, runLoad } from '../load/index.js';
import { agentLogin, type Gateway, groupsOf, type Stage } from '../stage.driver.js';
import type { Round, Way } from '../ways.js';

export type StatementLoad = Pick<LoadOrder, 'mode' | 'statement' | 'keys' | 'connections' | 'seconds'>;

/** Makes a load, and gives what of it is measured in the workload's unit. */
export interface StatementWork {
  readonly load: StatementLoad;
  readonly part: AgentPart;
  valueOf(report: LoadReport): number;
}

const warmUpSeconds = 0.5;

async function measured(
  login: Login,
  work: StatementWork,
  groups: ProcessGroups,
  atEnd: () => Promise<void> = async () => undefined,
): Promise<{ round: Round; report: LoadReport }> {
  let before: ReadonlyMap<string, number> = new Map();
  let cpu: Record<string, number> = {};
  let ending: Promise<void> = Promise.resolve();
  const withLoad = (pid: number): ProcessGroups => new Map([...groups, ['load', { pid, children: false }]]);
  const report = await runLoad(
    { ...work.load, login, warmUpSeconds },
    {
      began: (pid) => {
        before = cpuOf(withLoad(pid));
      },
      ended: (pid) => {
        cpu = cpuBetween(before, cpuOf(withLoad(pid)));
        ending = atEnd();
      },
    },
  );
  await ending;
  const used = Object.entries(cpu)
    .map(([name, microseconds]) => [name, microseconds / report.transactions] as const)
    .filter(([, each]) => each >= 0.5);
  const round: Round = {
    value: work.valueOf(report),
    latency: { p50: report.p50, p95: report.p95 },
    cpu: Object.fromEntries(used),
  };
  return { round, report };
}

/** Each action is two events: what was decided, and what came of it. */
const eventsOfAction = 2;

function gatewayWay(gateway: Gateway, groups: ProcessGroups, work: StatementWork, ingests: boolean): Way {
  const { kind, meter, installation } = gateway;
  const evidence = (signal: NodeJS.Signals): void => {
    if (!ingests) installation.deployment.services.get('evidence')?.signal(signal);
  };
  return {
    name: ingests ? kind.name : `${kind.name}, evidence paused`,
    async round() {
      const login = await agentLogin(gateway, work.part);
      const before = await meter.size();
      let atEnd = 0;
      evidence('SIGSTOP');
      const { round, report } = await measured(login, work, groups, async () => {
        atEnd = await meter.size();
      }).finally(() => evidence('SIGCONT'));
      const wanted = before + report.all * eventsOfAction;
      const drainSeconds = await meter.reached(wanted);
      return { ...round, backlog: { events: Math.max(0, wanted - atEnd), drainSeconds } };
    },
  };
}

/** One statement load over every way there is: the target itself, the bare relay, and each gateway. */
export async function statementWays(stage: Stage, work: StatementWork): Promise<readonly Way[]> {
  const { relay, target, gateways } = stage;
  const ways: Way[] = [];
  for (const [index, gateway] of gateways.entries()) {
    const groups = await groupsOf(gateway.installation, relay);
    if (index === 0) {
      const plain = (name: string, login: Login): Way => ({
        name,
        round: async () => (await measured(login, work, groups)).round,
      });
      ways.push(plain('direct', target), plain('relay', { ...target, host: '127.0.0.1', port: relay.port }));
    }
    ways.push(gatewayWay(gateway, groups, work, true), gatewayWay(gateway, groups, work, false));
  }
  return ways;
}
