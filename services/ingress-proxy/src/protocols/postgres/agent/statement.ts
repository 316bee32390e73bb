import type { Statement } from '../../../gate/index.js';
import { nameOfType, textOfBinary } from '../codec/index.js';
import type { Portal } from './batch.js';

/** What the execution of a portal asks of the target. */
export function statementOf({ prepared, parameters, parameterFormats: formats }: Portal): Statement {
  const { text, parameterTypes } = prepared;
  const statement = { kind: 'statement', text, parameterTypes, parameters, purpose: 'run' } as const;
  if (formats.length === 0) return statement;
  const shown = (): readonly (string | null)[] =>
    parameters.map((value, index) => {
      if (formats[index] !== 1) return null;
      const type = parameterTypes[index] ?? 0;
      const read = value === null ? 'NULL' : textOfBinary(type, value);
      return read === null ? `a value of ${nameOfType(type)}` : `${read} (${nameOfType(type)})`;
    });
  return { ...statement, binary: { formats, shown } };
}
