import { variableOfPath } from './environment.js';
import { branchesOf, type Shape } from './shape.js';

function typeOf(shape: Shape): string {
  if (shape.secret === true) return 'secret: { file: <path> }, or its text through the environment';
  if (shape.enum !== undefined) return shape.enum.join(' | ');
  if (shape.const !== undefined) return JSON.stringify(shape.const);
  if (shape.anyOf !== undefined) return [...new Set(shape.anyOf.map(typeOf))].join(' or ');
  if (shape.type === 'array')
    return `list of ${shape.items === undefined ? 'anything' : typeOf(shape.items)}`;
  return typeof shape.type === 'string' ? shape.type : 'anything';
}

function lines(shape: Shape, path: readonly string[], required: boolean): string[] {
  const children = branchesOf(shape).flatMap((branch) =>
    branch.secret === true
      ? []
      : Object.entries(branch.properties ?? {}).map(
          ([key, child]) => [key, child, branch.required?.includes(key) ?? false] as const,
        ),
  );
  const open = branchesOf(shape).find((branch) => typeof branch.additionalProperties === 'object');
  const own =
    path.length === 0
      ? []
      : [
          `  ${path.join('.')}  (${typeOf(shape)}${required && shape.default === undefined ? ', required' : ''})`,
          ...(shape.description === undefined ? [] : [`      ${shape.description}`]),
          ...(shape.default === undefined || typeof shape.default === 'object'
            ? []
            : [`      default: ${JSON.stringify(shape.default)}`]),
          ...((children.length > 0 || open !== undefined) && shape.secret !== true
            ? []
            : [`      ${variableOfPath(path)}`]),
        ];
  const items =
    shape.items !== undefined && shape.secret !== true ? lines(shape.items, [...path, '0'], false) : [];
  return [
    ...own,
    ...(shape.secret === true
      ? []
      : children.flatMap(([key, child, isRequired]) => lines(child, [...path, key], isRequired))),
    ...(typeof open?.additionalProperties === 'object' && shape.secret !== true
      ? lines(open.additionalProperties, [...path, '<name>'], false)
      : []),
    ...items.slice(items.length > 2 ? 0 : items.length),
  ];
}

/** What `--help` prints: every key with its type, description, default and variable. */
export function helpText(service: string, shape: Shape): string {
  return [
    `countersign ${service}`,
    '',
    'Options',
    '  --config <file>   settings, YAML or JSON',
    '  --print-config    print the settings in force, secrets left out, and end',
    '  --help            print this and end',
    '',
    'Settings (the environment goes before the file)',
    ...lines(shape, [], true),
    '',
  ].join('\n');
}
