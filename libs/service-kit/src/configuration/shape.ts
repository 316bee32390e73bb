import { z } from 'zod';

/** The part of JSON Schema that describes a configuration. */
export interface Shape {
  readonly type?: string | readonly string[];
  readonly properties?: Readonly<Record<string, Shape>>;
  readonly additionalProperties?: Shape | boolean;
  readonly items?: Shape;
  readonly prefixItems?: readonly Shape[];
  readonly required?: readonly string[];
  readonly anyOf?: readonly Shape[];
  readonly oneOf?: readonly Shape[];
  readonly allOf?: readonly Shape[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly default?: unknown;
  readonly description?: string;
  /** Set by `secret()`. */
  readonly secret?: boolean;
}

/** The shape of what a person writes for a schema (before defaults and transformations). */
export function shapeOf(schema: z.ZodType): Shape {
  return z.toJSONSchema(schema, {
    io: 'input',
    unrepresentable: 'any',
    reused: 'inline',
    cycles: 'throw',
  }) as Shape;
}

/** The alternatives of a shape, itself where it has none. */
export function branchesOf(shape: Shape): readonly Shape[] {
  const alternatives = [...(shape.anyOf ?? []), ...(shape.oneOf ?? []), ...(shape.allOf ?? [])];
  return alternatives.length === 0 ? [shape] : [shape, ...alternatives.flatMap(branchesOf)];
}

/** The shape below one key, or undefined where the key is not known. */
export function below(shape: Shape, key: string): Shape | undefined {
  for (const branch of branchesOf(shape)) {
    const property = Object.hasOwn(branch.properties ?? {}, key) ? branch.properties?.[key] : undefined;
    if (property !== undefined) return property;
    if (branch.items !== undefined && /^\d{1,4}$/.test(key)) return branch.items;
    if (typeof branch.additionalProperties === 'object') return branch.additionalProperties;
  }
  return undefined;
}

/** Whether anything goes: the shape says nothing of what it holds. */
export function isOpen(shape: Shape): boolean {
  return branchesOf(shape).every(
    (branch) =>
      branch.properties === undefined &&
      branch.items === undefined &&
      branch.prefixItems === undefined &&
      typeof branch.additionalProperties !== 'object',
  );
}

/** Whether any alternative is of a JSON type. */
export function allows(shape: Shape, type: string): boolean {
  return branchesOf(shape).some((branch) =>
    Array.isArray(branch.type) ? branch.type.includes(type) : branch.type === type,
  );
}

/** Paths in a value that its shape does not know: misspelt keys, which would otherwise be ignored. */
export function unknownKeys(shape: Shape, value: unknown, path: readonly string[] = []): string[][] {
  if (typeof value !== 'object' || value === null) return [];
  // Where an object is found but none is expected, the schema itself says so better.
  if (isOpen(shape) && path.length > 0) return [];
  return Object.entries(value).flatMap(([key, child]) => {
    const known = below(shape, key);
    return known === undefined ? [[...path, key]] : unknownKeys(known, child, [...path, key]);
  });
}
