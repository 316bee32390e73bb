import type { WireError } from '@countersign/errors';
import type { TargetContext } from '../analysis/index.js';
import type { CatalogueRows } from '../catalogue/index.js';
import type { Labels } from '../labels/index.js';
import type { Rewrite } from '../rewrite/index.js';
import type { Inspected, StatementInput } from './engine.js';

/** Work that a thread does. */
export type Task =
  | { readonly kind: 'inspect'; readonly target: string; readonly input: StatementInput }
  | {
      readonly kind: 'rewrite';
      readonly target: string;
      readonly input: StatementInput;
      readonly profile: string;
      readonly lookups: readonly string[];
    }
  | {
      readonly kind: 'describe';
      readonly target: string;
      readonly rows: CatalogueRows;
      readonly labels: Labels;
    };

export interface TaskResults {
  readonly inspect: Inspected & { readonly contextDigest: string };
  readonly rewrite: { readonly rewrite: Rewrite; readonly contextDigest: string };
  readonly describe: TargetContext;
}
export type TaskResult = TaskResults[Task['kind']];

/** What a thread is told. */
export type Order =
  | { readonly order: 'context'; readonly context: TargetContext }
  | { readonly order: 'task'; readonly task: Task };

/** What a thread says. `spent` means that it must be replaced: something broke its parser. */
export type Reply =
  | { readonly reply: 'ready' }
  | { readonly reply: 'done'; readonly result: TaskResult; readonly spent: boolean }
  | {
      readonly reply: 'failed';
      readonly error: WireError;
      readonly spent: boolean;
      /** Stack frames of what nobody expected. */
      readonly where?: string;
    };
