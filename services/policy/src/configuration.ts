import { baseConfiguration } from '@countersign/service-kit';
import { z } from 'zod';

/** Configuration of the policy service: the keys every service has, and those below. */
export const configuration = z.object({
  ...baseConfiguration,
  bundle: z
    .strictObject({
      file: z
        .string()
        .min(1)
        .describe('compiled policy bundle, a .tar.gz file; replace it by renaming another over it'),
      pollMilliseconds: z
        .int()
        .min(50)
        .max(3_600_000)
        .default(2000)
        .describe('how often the file is looked at for a change, milliseconds; SIGHUP looks at once'),
    })
    .describe('the policy that decides'),
  memo: z
    .strictObject({
      entries: z
        .int()
        .min(0)
        .max(1_000_000)
        .default(10_000)
        .describe('decisions that are remembered; 0 for none'),
    })
    .prefault({})
    .describe('memory of decisions by exact input'),
});

export type Configuration = z.output<typeof configuration>;
