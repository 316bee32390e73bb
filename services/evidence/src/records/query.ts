import { controls, type Finding, findings, recordKinds } from '@countersign/controls';
import { z } from 'zod';

const id = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._:@/-]{0,199}$/, 'expected an id');
const controlIds = new Set(controls.map((control) => control.id));

const findingNames = Object.keys(findings) as [Finding, ...Finding[]];

const paging = {
  cursor: z.string().max(400).optional().describe('`next` of the page before'),
  limit: z.coerce.number().int().min(1).max(500).default(50).describe('records of a page'),
  order: z
    .enum(['oldest', 'newest'])
    .default('oldest')
    .describe('which come first, by their place in the log'),
};

/** Query of GET /v1/records. Filters are joined by AND. */
export const recordQuery = z.strictObject({
  control: z
    .string()
    .refine((text) => controlIds.has(text), 'expected the id of a control, such as iso27001:2022/8.15')
    .optional()
    .describe('evidence of this control'),
  from: z.iso.datetime({ offset: true }).optional().describe('events of this time or later (RFC 3339)'),
  to: z.iso.datetime({ offset: true }).optional().describe('events before this time (RFC 3339)'),
  agent: id.optional(),
  target: id.optional(),
  verdict: z.enum(['allow', 'deny', 'modify', 'step_up', 'defer']).optional(),
  kind: z.enum(recordKinds).optional(),
  ...paging,
});
export type RecordQuery = z.output<typeof recordQuery>;

/** Query of GET /v1/findings. */
export const findingQuery = z.strictObject({
  finding: z.enum(findingNames).optional().describe('only findings of this name'),
  ...paging,
});
export type FindingQuery = z.output<typeof findingQuery>;

/** What records are asked for, without paging. */
export interface RecordFilter {
  readonly control?: string | undefined;
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  readonly agent?: string | undefined;
  readonly target?: string | undefined;
  readonly verdict?: string | undefined;
  readonly kind?: string | undefined;
  readonly finding?: string | undefined;
}
