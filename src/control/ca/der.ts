import { SekishoError } from '../../base/errors.ts';

/** One element of DER (ITU-T X.690 8.1): an identifier octet, a definite length, the content. */
export interface DerElement {
  readonly tag: number;
  readonly content: Buffer;
}

/** Writes one element; its content is the given parts in order. Tags above 30 are not needed here and not supported. */
export function der(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(parts);
  return Buffer.concat([Buffer.from([tag]), lengthOctets(content.length), content]);
}

/** Reads the elements that stand one after another in `bytes`. Throws `ca_invalid` when a length runs past the end. */
export function derElements(bytes: Buffer): DerElement[] {
  const elements: DerElement[] = [];
  for (let at = 0; at < bytes.length;) {
    const tag = bytes.readUInt8(at);
    const { length, start } = readLength(bytes, at + 1);
    if (start + length > bytes.length) throw malformed();
    elements.push({ tag, content: bytes.subarray(start, start + length) });
    at = start + length;
  }
  return elements;
}

/** X.690 8.1.3: up to 127 in one octet; else the count of octets with the high bit set, then the octets. */
function lengthOctets(length: number): Buffer {
  if (length < 0x80) return Buffer.from([length]);
  const octets = Buffer.alloc(4);
  octets.writeUInt32BE(length);
  const significant = octets.subarray(octets.findIndex((octet) => octet !== 0));
  return Buffer.concat([Buffer.from([0x80 | significant.length]), significant]);
}

function readLength(bytes: Buffer, at: number): { length: number; start: number } {
  const first = bytes[at];
  if (first === undefined) throw malformed();
  if (first < 0x80) return { length: first, start: at + 1 };
  const count = first & 0x7f;
  if (count === 0 || count > 4 || at + 1 + count > bytes.length) throw malformed();
  return { length: bytes.readUIntBE(at + 1, count), start: at + 1 + count };
}

function malformed(): SekishoError {
  return new SekishoError(
    'ca_invalid',
    'a certificate holds DER that ends in the middle; restore the file from its copy',
  );
}
