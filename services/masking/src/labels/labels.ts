import { CountersignError } from '@countersign/errors';
import { z } from 'zod';
import { isDetector } from '../detectors/index.js';

/** What a profile does with a label. Units: `keep_last` characters. */
const strategyShape = z.discriminatedUnion('strategy', [
  z.strictObject({ strategy: z.literal('keep') }),
  z.strictObject({ strategy: z.literal('redact') }),
  z.strictObject({ strategy: z.literal('null') }),
  z.strictObject({ strategy: z.literal('surrogate') }),
  z.strictObject({ strategy: z.literal('partial'), keep_last: z.number().int().min(0).max(16) }),
  z.strictObject({ strategy: z.literal('generalise'), to: z.enum(['year', '/16']) }),
  z.strictObject({
    strategy: z.literal('detect'),
    detectors: z.array(z.string().refine(isDetector, 'is no known detector')).min(1),
  }),
]);
export type Strategy = z.infer<typeof strategyShape>;

const columnName = z.string().regex(/^[^.]+\.[^.]+\.[^.]+$/, 'is not schema.relation.column');

const labelsShape = z.strictObject({
  vocabulary: z.record(z.string(), z.string()),
  labels: z.record(columnName, z.string()),
  /** For tests: columns in which lineage must find these labels. */
  derived: z.record(columnName, z.array(z.string())).default({}),
  profiles: z.record(z.string(), z.record(z.string(), strategyShape)),
});

/** Labels of a target's columns and what each profile does with them. */
export type Labels = z.infer<typeof labelsShape>;

/** The profile that masks nothing and is given only where no label is touched. */
export const NO_PROFILE = 'none';

/**
 * Reads a labels file.
 * @throws config.invalid naming what is wrong
 */
export function readLabels(source: string): Labels {
  let json: unknown;
  try {
    json = JSON.parse(source);
  } catch {
    throw new CountersignError('config.invalid', { detail: 'The labels file is not JSON.' });
  }
  const parsed = labelsShape.safeParse(json);
  if (!parsed.success) {
    const wrong = parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; ');
    throw new CountersignError('config.invalid', { detail: `The labels file is wrong. ${wrong}` });
  }
  const { labels, vocabulary, profiles } = parsed.data;
  for (const [column, label] of Object.entries(labels))
    if (!Object.hasOwn(vocabulary, label))
      throw new CountersignError('config.invalid', {
        detail: `${column} has a label that the vocabulary lacks.`,
      });
  if (Object.hasOwn(profiles, NO_PROFILE))
    throw new CountersignError('config.invalid', { detail: 'No profile may be called none.' });
  return parsed.data;
}

/** What a profile does with a label; a label of which it says nothing is taken away. */
export function strategyOf(labels: Labels, profile: string, label: string): Strategy {
  return labels.profiles[profile]?.[label] ?? { strategy: 'null' };
}
