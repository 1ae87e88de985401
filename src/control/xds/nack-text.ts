/** As much of a NACK's text as is kept, in characters. */
export const nackLength = 300;

/**
 * What may be kept of the text of a NACK. Envoy writes the refused configuration into it, all lines of it: that part goes, the
 * reason behind it stays, in one line of at most `nackLength` characters without anything that might be a key or a password.
 */
export function cutNack(text: string): string {
  const reason = collapse(withoutSecrets(collapse(withoutConfiguration(withoutPem(text)))));
  return reason.length <= nackLength ? reason : `${reason.slice(0, nackLength - 1)}…`;
}

/** `goo.gle/debugproto` is how protobuf marks the debug form of a message. It is followed by the message and, behind ` : `, by the reason. */
function withoutConfiguration(text: string): string {
  const from = text.indexOf('goo.gle/debug');
  if (from < 0) return text;
  const rest = text.slice(from);
  return `${text.slice(0, from)} ${rest.slice(reasonStart(rest))}`;
}

/** Where the reason starts in what follows the marker: at a message that we know, else behind the last ` : `, else nowhere. */
function reasonStart(rest: string): number {
  const known =
    /Proto constraint validation failed|Protobuf message \([^)]*\) has unknown fields|Unable to parse JSON/g;
  const last = [...rest.matchAll(known)].at(-1)?.index;
  if (last !== undefined) return last;
  const separator = rest.lastIndexOf(' : ');
  return separator < 0 ? rest.length : separator + 3;
}

/** A block that lost its end is dropped to the end of the text. */
function withoutPem(text: string): string {
  return text.replace(/-{2,}\s*BEGIN[^]*?(?:-{2,}\s*END[^-\n]*-{2,}|$)/g, '[withheld]');
}

/** Values of fields that hold secrets, whatever notation they are in, and any long run of what base64, hex or a token is made of. */
function withoutSecrets(text: string): string {
  return text
    .replace(
      /\b(inline_(?:string|bytes)|password|private_key|token|secret)(\\?["']?\s*[:=]\s*)(\\?["'])(?:\\.|(?!\3)[^\\])*(?:\3|$)/gi,
      '$1$2[withheld]',
    )
    .replace(
      /\b(inline_(?:string|bytes)|password|private_key|token)(\s*[:=]\s*)(?![\s"'\\[])[^\s,}]+/gi,
      '$1$2[withheld]',
    )
    .replace(/(?=[\w+/=-]*[A-Z])(?=[\w+/=-]*[a-z])(?=[\w+/=-]*\d)[\w+/=-]{32,}|[a-z0-9]{32,}/g, '[withheld]');
}

function collapse(text: string): string {
  return text.replace(/[\s\u0000-\u001f\u007f-\u009f]+/g, ' ').trim();
}
