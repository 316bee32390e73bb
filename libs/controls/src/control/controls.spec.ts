import { describe, expect, it } from '@jest/globals';
import { foldAll, initialFold } from '../fold/index.js';
import { World } from '../testing/world.fixture.js';
import { type Control, controls, type Example, editions } from './index.js';

const world = await World.begin();

/** The controls of each record that the last event of an example gives. */
function mapped(example: Example): string[] {
  const leaves = world.leavesOf(example.events);
  const last = leaves.length - 1;
  const { records } = foldAll(initialFold(world.authority), leaves);
  return records
    .filter(({ index }) => index === last)
    .flatMap((record) => record.controls.map(({ id }) => id));
}

const counterpart = (id: string) => controls.find((control) => control.id === id);

describe.each(controls.map((control): [string, Control] => [control.id, control]))(
  'control %s',
  (id, control) => {
    it('maps its good example', () => {
      expect(mapped(control.good)).toContain(id);
    });

    it('does not map its near miss', () => {
      expect(mapped(control.nearMiss)).not.toContain(id);
    });

    it('is complete, and its id carries its edition', () => {
      expect(id).toBe(`${control.edition}/${control.number}`);
      for (const text of [control.title, control.shows, control.doesNotShow])
        expect(text.length).toBeGreaterThan(5);
      for (const { because } of control.evidence) expect(because).toMatch(/\.$/);
    });

    it('names counterparts of the other edition that name it too', () => {
      for (const other of control.counterparts) {
        expect(counterpart(other)?.edition).not.toBe(control.edition);
        expect(counterpart(other)?.counterparts).toContain(id);
      }
      if (control.counterparts.length === 0) expect(control.counterpartNote).toBeDefined();
    });
  },
);

describe('the controls', () => {
  it.each(editions)('are at least twelve of %s', (edition) => {
    expect(controls.filter((control) => control.edition === edition).length).toBeGreaterThanOrEqual(12);
  });

  it('are there once each', () => {
    expect(new Set(controls.map(({ id }) => id)).size).toBe(controls.length);
  });

  it('each take part in no dry run', () => {
    for (const { id, good } of controls) {
      const dry = { ...good, events: good.events.map((event) => ({ ...event, mode: 'dryrun' })) };
      // An epoch is opened for good, whatever the mode of what follows.
      if (good.events.at(-1)?.type !== 'countersign.epoch.opened.v1') expect(mapped(dry)).not.toContain(id);
    }
  });
});
