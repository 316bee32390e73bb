import type { EvidenceRecord } from '@countersign/controls';
import type { Evidence } from '@countersign/deploy';

interface Page {
  readonly records: readonly EvidenceRecord[];
  readonly next: string | null;
}

/** All findings of the log, or those of one name; what is merely absent as of now is none of them. */
export async function findingsOf(evidence: Evidence, finding?: string): Promise<readonly EvidenceRecord[]> {
  const found: EvidenceRecord[] = [];
  for (let cursor: string | null = ''; cursor !== null; ) {
    const query = new URLSearchParams({
      limit: '500',
      ...(finding === undefined ? {} : { finding }),
      ...(cursor === '' ? {} : { cursor }),
    });
    const page: Page = await evidence.get(`/v1/findings?${query}`);
    found.push(...page.records);
    cursor = page.next;
  }
  return found;
}
