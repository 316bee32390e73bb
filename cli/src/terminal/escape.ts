/** What an escape stands in; the brackets themselves are escaped too, so that no text can imitate one. */
const [open, close] = ['⟦', '⟧'];

/**
 * Whatever does not show as itself, or changes how its surroundings show: control and format characters (among them the
 * bidirectional ones), line and paragraph separators, unassigned and private characters, combining marks, and spaces other
 * than the ordinary one.
 */
const deceptive = /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Cn}\p{Zl}\p{Zp}\p{M}⟦⟧]|(?! )\p{Zs}/gu;

const escaped = (character: string) =>
  `${open}${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}${close}`;

/** A text in which every character is what it seems, safe for a terminal. Two different texts never look the same. */
export function escapeText(text: string): string {
  return text.replaceAll(deceptive, escaped);
}

/** The characters outside ASCII that a text holds and that show: some look like others. At most `most`, in order. */
export function lookalikes(text: string, most = 16): string[] {
  const found = new Set(text.match(/[^\p{ASCII}\p{Cc}\p{Cf}\p{M}]/gu) ?? []);
  return [...found].slice(0, most);
}
