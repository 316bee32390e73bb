import { routeOf } from './auditor.guard.js';
import type { ApiRequest } from './messages.js';

/** Filters of a closed vocabulary, and the two of time: a validated one can say nothing of the reader's own. */
const vocabulary = ['control', 'from', 'to', 'verdict', 'kind', 'finding'] as const;
/** Filters whose value is whatever the reader sends. */
const ids = ['agent', 'target'] as const;

/** Stands for an id that evidence does not hold. No id has parentheses. */
const unknown = '(unknown)';

/**
 * What was read, for the event that stays for ever: the route with what the answer is of, and the filters. Nothing in it
 * is the reader's own text, who could else write a name or a number of a person into evidence.
 * @param holds whether records name this agent or target
 */
export async function resourceOf(
  request: ApiRequest,
  answer: unknown,
  holds: (name: (typeof ids)[number], id: string) => Promise<boolean>,
): Promise<string> {
  const filters: string[] = [];
  for (const name of vocabulary) {
    const value = request.query[name];
    if (typeof value === 'string') filters.push(`${name}=${isTime(name) ? instantOf(value) : value}`);
  }
  for (const name of ids) {
    const value = request.query[name];
    if (typeof value === 'string') filters.push(`${name}=${(await holds(name, value)) ? value : unknown}`);
  }
  const path = pathOf(routeOf(request), answer);
  return filters.length === 0 ? path : `${path}?${filters.join('&')}`;
}

function isTime(name: string): boolean {
  return name === 'from' || name === 'to';
}

/** To the second: a fraction of any length would be room for any number. */
function instantOf(text: string): string {
  return new Date(text).toISOString().replace(/\.\d+Z$/, 'Z');
}

/** The route, with the answer's own id in place of its parameters: a path can spell one thing in many ways. */
function pathOf(route: string, answer: unknown): string {
  const parameters = route.indexOf('/:');
  if (parameters < 0) return route;
  return `${route.slice(0, parameters)}/${idOf(answer) ?? idOf(fieldOf(answer, 'record')) ?? unknown}`;
}

function idOf(value: unknown): string | null {
  const id = fieldOf(value, 'id');
  return typeof id === 'string' ? id : null;
}

function fieldOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined;
}
