import { readConfiguredFile } from '@countersign/service-kit';
import { type Labels, readLabels } from '../labels/index.js';

/** Labels of each target from the files that the configuration names. Throws config.invalid. */
export function openLabels(
  targets: Readonly<Record<string, { readonly labels: string }>>,
): Map<string, Labels> {
  return new Map(
    Object.entries(targets).map(([target, { labels }]) => [target, readLabels(readConfiguredFile(labels))]),
  );
}
