/**
 * Chars that a terminal may obey, or that show text other than it is: C0, DEL and C1 controls, zero-width and direction marks, line and
 * paragraph separators, the byte order mark, tag characters, halves of surrogate pairs. Requests choose what stands in a record.
 */
const unsafe =
  /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff]|[\u{e0000}-\u{e007f}]/gu;

/** A text for a terminal: unsafe chars as `\x1b` or `\u{202e}`. */
export function printable(text: string): string {
  return text.replaceAll(unsafe, (char) => {
    const code = char.codePointAt(0) ?? 0;
    return code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u{${code.toString(16)}}`;
  });
}

/** JSON text that means the same and holds no unsafe char: they stand only inside strings, where `\u` may replace them. */
export function printableJson(json: string): string {
  return json.replaceAll(unsafe, (char) =>
    [...Array(char.length).keys()].map((at) => `\\u${char.charCodeAt(at).toString(16).padStart(4, '0')}`).join(''),
  );
}
