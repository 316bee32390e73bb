import type { EvidenceRecord } from '@countersign/controls';

export interface Count {
  readonly dimension: 'kind' | 'verdict' | 'control' | 'finding';
  readonly name: string;
  readonly count: number;
}

/** How many records there are of each kind, verdict, control and finding. */
export function countsOf(records: readonly EvidenceRecord[]): readonly Count[] {
  const counts = new Map<string, Count>();
  const add = (dimension: Count['dimension'], name: string) => {
    const key = `${dimension} ${name}`;
    counts.set(key, { dimension, name, count: (counts.get(key)?.count ?? 0) + 1 });
  };
  for (const { kind, verdict, controls, data } of records) {
    add('kind', kind);
    if (kind === 'decision' && verdict !== undefined) add('verdict', verdict);
    if (kind === 'finding' && typeof data.finding === 'string') add('finding', data.finding);
    for (const { id } of controls) add('control', id);
  }
  return [...counts.values()];
}
