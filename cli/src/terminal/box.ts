import { escapeText } from './escape.js';

/** Cells that a character takes at most: a wide one must not push the frame out of place. */
const cells = (character: string) => (character <= '\u007e' ? 1 : 2);

function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  let used = 0;
  for (const character of text) {
    if (used + cells(character) > width) {
      lines.push(line);
      [line, used] = ['', 0];
    }
    line += character;
    used += cells(character);
  }
  return [...lines, line];
}

/**
 * A frame around a text that is not trusted: its lines numbered, everything deceptive in it escaped, long lines wrapped, so
 * that nothing in the text can pass for something outside it.
 * @param width cells of the terminal
 */
export function box(title: string, text: string, width: number): string {
  const source = text.split('\n');
  const gutter = String(source.length).length;
  const inner = Math.max(20, Math.min(width, 120) - gutter - 6);
  const lines = source.flatMap((line, index) =>
    wrap(escapeText(line), inner).map((part, wrapped) => {
      const number = wrapped === 0 ? String(index + 1) : '';
      return `│ ${number.padStart(gutter)} ${wrapped === 0 ? '│' : '┆'} ${part}`;
    }),
  );
  const heading = `─ ${escapeText(title)} `;
  return [
    `┌${heading}${'─'.repeat(Math.max(0, inner + gutter + 4 - heading.length))}`,
    ...lines,
    `└${'─'.repeat(inner + gutter + 4)}`,
  ].join('\n');
}
