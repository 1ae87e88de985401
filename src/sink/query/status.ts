import { SekishoError } from '../../base/errors.ts';

/** Ranges of HTTP status codes, both ends inclusive, from `200`, `4xx`, `400-499` or several with commas. Throws SekishoError `usage`. */
export function parseStatus(text: string): readonly (readonly [from: number, to: number])[] {
  return text.split(',').map((part) => parseRange(part.trim(), text));
}

function parseRange(part: string, whole: string): readonly [number, number] {
  const hundreds = /^([1-5])xx$/i.exec(part);
  if (hundreds !== null) return [Number(hundreds[1]) * 100, Number(hundreds[1]) * 100 + 99];
  const range = /^([1-5]\d\d)(?:-([1-5]\d\d))?$/.exec(part);
  const from = Number(range?.[1]);
  const to = Number(range?.[2] ?? from);
  if (range !== null && from <= to) return [from, to];
  throw new SekishoError(
    'usage',
    `${JSON.stringify(whole)} is no status. Write 200, 4xx, 400-499, or several: 403,5xx.`,
  );
}
