import { digestOf, digestOfJson } from '@countersign/contracts';
import { describe, expect, it } from '@jest/globals';
import { controls } from '../control/index.js';
import { recordText } from '../record/index.js';
import { readCaseLines, readCases } from '../testing/cases.store.js';
import { type ShortEvent, World } from '../testing/world.fixture.js';
import { findingsAsOf } from './absence.js';
import { foldAll } from './fold.js';
import { foldVersion, initialFold } from './state.js';

interface Version {
  readonly version: string;
  /** Of the control data, which decides the mapping. */
  readonly controls: string;
  /** Of the records that the events of findings.jsonl give, the ids made in order. */
  readonly records: string;
}

/**
 * Evidence is recomputable: a dossier names the version of the fold that made its records. Once a version is released,
 * whatever changes one of these digests needs a new version, and the old one stays.
 */
describe('the version of the fold', () => {
  it('stands for these records and this mapping', async () => {
    const world = await World.begin();
    const log = world.leavesOf(
      readCaseLines<{ events: ShortEvent[] }>('findings.jsonl').flatMap(({ events }) => events),
    );
    const { state, records } = foldAll(initialFold(world.authority), log);
    const texts = [...records, ...findingsAsOf(state, log.length)].map(recordText);
    const now: Version = {
      version: foldVersion,
      controls: digestOfJson(controls),
      records: digestOf(texts.join('\n')),
    };
    expect(now).toEqual(readCases<Version>('version.json'));
  });
});
