/** Something that must be found nowhere. */
export interface Needle {
  readonly name: string;
  readonly value: Uint8Array | string;
}

/** Something that is searched. */
export interface Haystack {
  readonly name: string;
  readonly bytes: Buffer;
}

/** What was found where, without saying it again. */
export interface Hit {
  readonly needle: string;
  readonly haystack: string;
  readonly form: string;
}

const percent = (bytes: Buffer): string => bytes.toString('hex').replaceAll(/../g, '%$&');

/**
 * The characters of base64 (RFC 4648) that depend on these bytes alone, whatever stands before and after them, when
 * they begin `offset` bytes into a group of three.
 */
function base64Within(bytes: Buffer, offset: number): string {
  const text = Buffer.concat([Buffer.alloc(offset), bytes]).toString('base64');
  return text.slice(Math.ceil((offset * 8) / 6), Math.floor(((offset + bytes.length) * 8) / 6));
}

/**
 * The forms in which a value may hide: as it is, in JSON, in base64 and base64url at each alignment, in hexadecimal and
 * percent-encoded. Each form once.
 */
export function formsOf(value: Uint8Array | string): ReadonlyMap<string, Buffer> {
  const bytes = Buffer.from(value as string);
  const text = bytes.toString('utf8');
  const aligned = [0, 1, 2].map((offset) => base64Within(bytes, offset));
  const forms: readonly (readonly [string, Buffer | string])[] = [
    ['as it is', bytes],
    ...(typeof value === 'string'
      ? ([
          ['JSON', JSON.stringify(text).slice(1, -1)],
          ['URL component', encodeURIComponent(text)],
          ['form field', encodeURIComponent(text).replaceAll('%20', '+')],
        ] as const)
      : []),
    ...aligned.map((form, offset) => [`base64 at ${offset}`, form] as const),
    ...aligned.map(
      (form, offset) => [`base64url at ${offset}`, form.replaceAll('+', '-').replaceAll('/', '_')] as const,
    ),
    ['hexadecimal', bytes.toString('hex')],
    ['HEXADECIMAL', bytes.toString('hex').toUpperCase()],
    ['percent-encoded', percent(bytes)],
    ['PERCENT-ENCODED', percent(bytes).toUpperCase()],
  ];
  const known = new Set<string>();
  const distinct = forms.filter(([, form]) => {
    const key = Buffer.from(form as string).toString('latin1');
    if (known.has(key)) return false;
    known.add(key);
    return true;
  });
  return new Map(distinct.map(([name, form]) => [name, Buffer.from(form as string)]));
}

/** Everything that is found. */
export function search(haystacks: readonly Haystack[], needles: readonly Needle[]): readonly Hit[] {
  const wanted = needles.map(({ name, value }) => ({ name, forms: [...formsOf(value)] }));
  return haystacks.flatMap((haystack) =>
    wanted.flatMap(({ name, forms }) =>
      forms
        .filter(([, form]) => haystack.bytes.includes(form))
        .map(([form]) => ({ needle: name, haystack: haystack.name, form })),
    ),
  );
}
