import { setTimeout as delay } from 'node:timers/promises';
import type { EvidenceRecord } from '@countersign/controls';
import { CountersignError, isErrorCode } from '@countersign/errors';

interface Page {
  readonly records: readonly EvidenceRecord[];
  readonly next: string | null;
}

const requestMilliseconds = 30_000;
const arrivalMilliseconds = 15_000;

/** The evidence API as an auditor sees it. */
export class Evidence {
  readonly #base: string;
  readonly #token: () => Promise<string>;
  #held: { token: string; until: number } | undefined;

  constructor(base: string, token: () => Promise<string>) {
    this.#base = base;
    this.#token = token;
  }

  async fetch(path: string): Promise<Response> {
    if (this.#held === undefined || this.#held.until < Date.now()) {
      this.#held = { token: await this.#token(), until: Date.now() + 300_000 };
    }
    const response = await fetch(new URL(path, this.#base), {
      headers: { authorization: `Bearer ${this.#held.token}` },
      signal: AbortSignal.timeout(requestMilliseconds),
    });
    if (response.ok) return response;
    const { code = '' } = (await response.json().catch(() => ({}))) as { code?: string };
    throw new CountersignError(isErrorCode(code) ? code : 'internal', { detail: `HTTP ${response.status}.` });
  }

  async get<T>(path: string): Promise<T> {
    return (await (await this.fetch(path)).json()) as T;
  }

  async records(query: Readonly<Record<string, string>>): Promise<readonly EvidenceRecord[]> {
    return (await this.get<Page>(`/v1/records?${new URLSearchParams(query)}`)).records;
  }

  /** Place in the log of the newest record of a kind; -1 where there is none. */
  async newest(query: Readonly<Record<string, string>>): Promise<number> {
    const [record] = await this.records({ ...query, order: 'newest', limit: '1' });
    return record?.index ?? -1;
  }

  /** Waits until at least `count` records came after a place in the log; oldest first. */
  async arrived(
    query: Readonly<Record<string, string>>,
    after: number,
    count: number,
  ): Promise<readonly EvidenceRecord[]> {
    for (const end = Date.now() + arrivalMilliseconds; ; await delay(50)) {
      const found = await this.records({ ...query, order: 'newest', limit: '50' });
      const newer = found.filter((record) => record.index > after).reverse();
      if (newer.length >= count) return newer;
      if (Date.now() > end) throw new CountersignError('evidence.not_ready');
    }
  }
}
