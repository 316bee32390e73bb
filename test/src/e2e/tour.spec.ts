import { stripVTControlCharacters } from 'node:util';
import { runTour, type TourResult } from '@countersign/deploy';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { findingsOf, type Installation, serviceLogs, startInstallation } from './support/index.js';

const titled = /^ ?\d+ {2}\S.* \(\d+ of \d+\)$/;

/** What is shown under each title. */
function stepsIn(lines: readonly string[]): ReadonlyMap<string, string> {
  const steps = new Map<string, string>();
  let title = '';
  for (const line of lines) {
    if (titled.test(line)) title = line.trim();
    else if (title !== '') steps.set(title, `${steps.get(title) ?? ''}${line}\n`);
  }
  return steps;
}

let installation: Installation;

beforeAll(async () => {
  installation = await startInstallation();
}, 90_000);

afterAll(async () => {
  await installation?.stop();
}, 60_000);

describe.each(['on new state', 'on what an earlier session left'])('the guided session, %s', (state) => {
  const lines: string[] = [];
  let result: TourResult;

  beforeAll(async () => {
    if (state !== 'on new state') await installation.restart();
    result = await runTour(installation.deployment, installation.data, (line) =>
      lines.push(...stripVTControlCharacters(line).split('\n')),
    );
  }, 180_000);

  it('does in every step what it shows', () => {
    expect(result.failures).toEqual([]);
    expect(lines.filter((line) => line.includes('✖'))).toEqual([]);
    expect(stepsIn(lines).size).toBe(result.steps);
    expect(result.steps).toBeGreaterThanOrEqual(10);
  });

  it('shows of each step what was sent, what came back, and what its record is evidence of', () => {
    for (const [title, text] of stepsIn(lines)) {
      expect([title, text]).toEqual([title, expect.stringMatching(/^ {4}sent +\S/m)]);
      expect([title, text]).toEqual([title, expect.stringMatching(/^ {4}answer +\S/m)]);
      expect([title, text]).toEqual([title, expect.stringMatching(/^ {4}✔ \S/m)]);
      // The last step is about the whole dossier, not about one record.
      if (text.includes('countersign verify')) continue;
      expect([title, text]).toEqual([title, expect.stringMatching(/^ {4}control +iso27001:20/m)]);
    }
  });

  it('leaves nothing wrong behind', async () => {
    expect(await findingsOf(installation.evidence)).toEqual([]);
    const troubled = (await serviceLogs(installation)).flatMap(({ name, bytes }) =>
      bytes
        .toString('utf8')
        .split('\n')
        .filter((line) => /"level":"?(error|fatal)/.test(line))
        .map((line) => `${name}: ${line}`),
    );
    expect(troubled).toEqual([]);
  });
});
