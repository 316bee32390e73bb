import type { Operation } from '@countersign/contracts';

/** Methods that agents may use at all. */
export const methods = ['DELETE', 'GET', 'PATCH', 'POST', 'PUT'] as const;

const LITERAL = /^[A-Za-z0-9._~!$&'()*+,=:@-]+$/;
const VARIABLE = /^\{([A-Za-z][A-Za-z0-9_]*)\}$/;

interface Template {
  readonly method: string;
  /** Null for a variable. */
  readonly segments: readonly (string | null)[];
  readonly variables: readonly string[];
}

/** Reads `GET /v1/patients/{patient}`; a sentence where it is no such template. */
export function readTemplate(operation: string): Template | string {
  const [method = '', path = '', ...rest] = operation.split(' ');
  if (!(methods as readonly string[]).includes(method) || rest.length > 0) {
    return `it begins with one of ${methods.join(', ')}, a space and a path`;
  }
  if (!path.startsWith('/')) return 'its path begins with a slash';
  const parts = path === '/' ? [] : path.slice(1).split('/');
  const variables = parts.flatMap((part) => VARIABLE.exec(part)?.[1] ?? []);
  const wrong = parts.find((part) => !VARIABLE.test(part) && (!LITERAL.test(part) || /^\.\.?$/.test(part)));
  if (wrong !== undefined) return 'each segment of its path is plain text or a {variable}';
  if (new Set(variables).size < variables.length) return 'a variable stands in it twice';
  return { method, segments: parts.map((part) => (VARIABLE.test(part) ? null : part)), variables };
}

interface Node {
  readonly literals: Map<string, Node>;
  variable: Node | null;
  /** By method. */
  readonly operations: Map<string, Operation>;
}

const node = (): Node => ({ literals: new Map(), variable: null, operations: new Map() });

/** The declared operations of one target by method and path. A literal segment goes before a variable. */
export class Routes {
  readonly #root = node();

  /** @throws TypeError for what is no template, or two of which nobody could tell which is meant */
  constructor(operations: readonly Operation[]) {
    for (const operation of operations) this.#add(operation);
  }

  #add(operation: Operation): void {
    const template = readTemplate(operation.operation);
    if (typeof template === 'string') throw new TypeError(`${operation.operation}: ${template}.`);
    let at = this.#root;
    for (const segment of template.segments) {
      if (segment === null) {
        at.variable ??= node();
        at = at.variable;
      } else {
        const next = at.literals.get(segment) ?? node();
        at.literals.set(segment, next);
        at = next;
      }
    }
    const other = at.operations.get(template.method);
    if (other !== undefined) throw new TypeError(`${operation.operation} is declared twice.`);
    at.operations.set(template.method, operation);
  }

  /** Null where nothing is declared. */
  match(method: string, segments: readonly string[]): Operation | null {
    const path = segments.length === 1 && segments[0] === '' ? [] : segments;
    return find(this.#root, method, path, 0);
  }
}

function find(at: Node, method: string, path: readonly string[], index: number): Operation | null {
  const segment = path[index];
  if (segment === undefined) return at.operations.get(method) ?? null;
  const literal = at.literals.get(segment);
  const found = literal === undefined ? null : find(literal, method, path, index + 1);
  if (found !== null || at.variable === null || segment === '') return found;
  return find(at.variable, method, path, index + 1);
}
