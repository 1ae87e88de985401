/** Wide chars of East Asian scripts and emoji take two columns of a terminal (Unicode Standard Annex 11, in ranges). */
const wide =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\ua960-\ua97c\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6]|[\u{1f300}-\u{1faff}\u{20000}-\u{3fffd}]/u;

/** A text in exactly `size` columns: filled with blanks, or cut with `…`. */
export function fit(text: string, size: number): string {
  const cut = columnsOf(text, size);
  return cut + ' '.repeat(Math.max(0, size - widthOf(cut)));
}

/** A text in at most `size` columns. */
export function columnsOf(text: string, size: number): string {
  if (widthOf(text) <= size) return text;
  let cut = '';
  let used = 1; // The `…`.
  for (const char of text) {
    used += charWidth(char);
    if (used > size) break;
    cut += char;
  }
  return `${cut}…`;
}

function widthOf(text: string): number {
  let width = 0;
  for (const char of text) width += charWidth(char);
  return width;
}

function charWidth(char: string): number {
  if (/^\p{Mn}$/u.test(char)) return 0;
  return wide.test(char) ? 2 : 1;
}
