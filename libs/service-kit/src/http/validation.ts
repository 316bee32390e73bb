import { CountersignError } from '@countersign/errors';
import type { z } from 'zod';

interface Issue {
  readonly message: string;
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

/** More wrong fields than these are not named. */
const most = 10;

const nameOf = (issue: Issue) =>
  (issue.path ?? [])
    .map((part) => String(typeof part === 'object' ? part.key : part))
    .join('.')
    .slice(0, 100);

/** request.invalid that names each wrong field and what is expected there; what was sent is not repeated. */
export function invalidRequest(issues: readonly Issue[]): CountersignError {
  const named = issues.slice(0, most).map((issue) => {
    const name = nameOf(issue);
    const message = issue.message.slice(0, 200).replace(/\.$/, '');
    return name === '' ? message : `${name}: ${message}`;
  });
  const more = issues.length > most ? `; ${issues.length - most} more` : '';
  return new CountersignError('request.invalid', { detail: `${named.join('; ')}${more}.` });
}

/** What a schema makes of something that came from outside. Throws request.invalid naming the fields. */
export function parseRequest<Schema extends z.ZodType>(schema: Schema, value: unknown): z.output<Schema> {
  const result = schema.safeParse(value);
  if (!result.success) throw invalidRequest(result.error.issues);
  return result.data;
}
