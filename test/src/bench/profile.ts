import type { SampledProfile } from './profiler.client.js';
import type { Profile } from './results.js';
import { significant } from './statistics.js';

const mostFunctions = 25;

interface Place {
  readonly matches: RegExp;
  readonly name: string;
}

/** What a function belongs to, by the file that holds it; the first that matches. */
const places: readonly Place[] = [
  { matches: /services\/[^/]+\/dist\/protocols\/([^/]+)\//, name: 'protocol adapter' },
  { matches: /services\/[^/]+\/dist\/gate\//, name: 'gate' },
  { matches: /services\/[^/]+\/dist\//, name: 'service, the rest' },
  { matches: /libs\/ledger\//, name: 'sealing and chaining events' },
  { matches: /libs\/event-log\//, name: 'event log driver' },
  { matches: /libs\/(rpc|contracts)\//, name: 'calls and contracts' },
  { matches: /node_modules\/(pg|pg-[^/]+|postgres-[^/]+)\//, name: 'event log driver' },
  { matches: /node_modules\/lru-cache\//, name: 'memory of answers' },
  { matches: /node_modules\//, name: 'other packages' },
  { matches: /^node:internal\/crypto/, name: 'hashing and signing' },
  { matches: /^node:.*(net|stream|tls)/, name: 'sockets and streams' },
  { matches: /^node:/, name: 'Node, the rest' },
];

const natives: Readonly<Record<string, string>> = {
  '(garbage collector)': 'garbage collection',
  '(program)': 'native code outside JavaScript',
  '(root)': 'native code outside JavaScript',
  writev: 'sockets and streams',
  writeBuffer: 'sockets and streams',
  writeUtf8String: 'sockets and streams',
};

function partOf(name: string, url: string): string {
  if (url === '') return natives[name] ?? 'native code outside JavaScript';
  return places.find(({ matches }) => matches.test(url))?.name ?? 'other';
}

function largest(counts: ReadonlyMap<string, number>, whole: number): { name: string; part: number }[] {
  return [...counts]
    .map(([name, count]) => ({ name, part: significant(count / whole) }))
    .sort((left, right) => right.part - left.part);
}

/** What the samples of a busy process say, by part and by function; idle samples are left out. */
export function summarise(process: string, workload: string, profile: SampledProfile): Profile {
  const nodes = new Map(profile.nodes.map((node) => [node.id, node]));
  const parts = new Map<string, number>();
  const functions = new Map<string, number>();
  let whole = 0;
  for (const sample of profile.samples ?? []) {
    const frame = nodes.get(sample)?.callFrame;
    if (frame === undefined || frame.functionName === '(idle)') continue;
    whole += 1;
    const name = frame.functionName === '' ? '(anonymous)' : frame.functionName;
    const part = partOf(frame.functionName, frame.url);
    parts.set(part, (parts.get(part) ?? 0) + 1);
    const file = frame.url.replace(/^file:\/\/.*?\/((libs|services|node_modules)\/)/, '$1');
    const where = `${name}\n${file === '' ? '' : `${file}:${frame.lineNumber + 1}`}`;
    functions.set(where, (functions.get(where) ?? 0) + 1);
  }
  return {
    process,
    workload,
    parts: largest(parts, whole),
    functions: largest(functions, whole)
      .slice(0, mostFunctions)
      .map(({ name, part }) => {
        const [own = '', place = ''] = name.split('\n');
        return { name: own, place, part };
      }),
  };
}
