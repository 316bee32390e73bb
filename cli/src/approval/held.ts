/** What exactly is held, as the approval service gives it. */
export interface Content {
  /** A statement, or a request's head. */
  readonly statement: string;
  /** Parameters, or a request's body; base64, null for NULL. */
  readonly parameters: readonly (string | null)[];
  /** How a person reads each parameter in binary form, null for those in text form; absent where all are. */
  readonly binary?: readonly ({ readonly shown: string } | null)[] | undefined;
}

/** One part of it, as a person reads it. */
export interface ShownPart {
  readonly title: string;
  readonly text: string;
}

/** Everything that runs, part by part: nothing is left out, and bytes that are no text are shown as such. */
export function shownParts(protocol: string, content: Content): readonly ShownPart[] {
  return protocol === 'http' ? requestParts(content) : statementParts(content);
}

function statementParts({ statement, parameters, binary }: Content): readonly ShownPart[] {
  return [
    { title: 'exactly this will run, once', text: statement },
    ...parameters.map((value, index) => ({
      title: 'parameter',
      text: `$${index + 1} = ${parameterText(value, binary?.[index] ?? null)}`,
    })),
  ];
}

function parameterText(value: string | null, form: { readonly shown: string } | null): string {
  if (value === null) return 'NULL';
  if (form === null) return textOf(value);
  return `${form.shown}, in binary form ${Buffer.from(value, 'base64').toString('hex')}`;
}

/** Lines of a head end in CRLF and an empty line ends it (RFC 9112): that is not shown, a CR or LF elsewhere is. */
function requestParts({ statement, parameters }: Content): readonly ShownPart[] {
  const whole = statement.endsWith('\r\n\r\n');
  const head = whole ? statement.slice(0, -4).replaceAll('\r\n', '\n') : statement;
  const bodies = parameters.map((value) => ({
    title: 'with this body',
    text: value === null ? '' : textOf(value),
  }));
  return [
    { title: 'exactly this request will be sent, once', text: head },
    ...(bodies.length === 0 ? [{ title: 'with this body', text: '(none)' }] : bodies),
  ];
}

function textOf(value: string): string {
  const bytes = Buffer.from(value, 'base64');
  const text = bytes.toString('utf8');
  return Buffer.from(text).equals(bytes) ? text : `bytes ${bytes.toString('hex')}`;
}
