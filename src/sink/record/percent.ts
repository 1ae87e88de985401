/** How often percent-encoding is undone before a text is taken for an attempt to hide something. */
export const decodingRounds = 8;

const encoded = /%[0-9a-f]{2}/i;

/**
 * Undoes percent-encoding until nothing is left to undo. Text is one char per byte (latin1); a `%` without two hexadecimal
 * digits stays as it is, and `+` becomes a space as in a form.
 * `complete` is false where `decodingRounds` did not suffice; `text` is then what was reached.
 */
export function percentDecode(text: string): { text: string; complete: boolean } {
  let reached = text.replaceAll('+', ' ');
  for (let round = 0; round < decodingRounds && encoded.test(reached); round += 1) {
    reached = percentDecodeOnce(reached).replaceAll('+', ' ');
  }
  return { text: reached, complete: !encoded.test(reached) };
}

/** Undoes one layer of percent-encoding, bytes to bytes. */
export function percentDecodeOnce(text: string): string {
  if (!text.includes('%')) return text;
  return text.replaceAll(/%([0-9a-f]{2})/gi, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 16)));
}
