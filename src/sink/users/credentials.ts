import { readUserName } from '../../policy/users-file.ts';

/** What a `proxy-authorization` header says. */
export type Credentials =
  /** Nothing, or something of another scheme than Basic: the client has yet to ask its person. */
  | { readonly kind: 'none' }
  /** Basic, but nothing that could be right. */
  | { readonly kind: 'unreadable' }
  | { readonly kind: 'basic'; readonly name: string; readonly password: string };

/** Bytes of name and password together; a passphrase has far fewer. */
const longest = 1024;

/** Reads RFC 7617: `Basic` and the base64 of `NAME:PASSWORD`, in UTF-8 as our challenge asks for, composed (NFC) as people are compared. */
export function readCredentials(header: string | undefined): Credentials {
  const [, encoded] = /^Basic +([A-Za-z0-9+/]+={0,2}) *$/i.exec(header ?? '') ?? [];
  if (encoded === undefined) return /^Basic( |$)/i.test(header ?? '') ? { kind: 'unreadable' } : { kind: 'none' };
  const text = utf8(Buffer.from(encoded, 'base64'));
  const colon = text?.indexOf(':') ?? -1;
  if (text === undefined || colon < 0) return { kind: 'unreadable' };
  const name = readUserName(text.slice(0, colon));
  if (typeof name !== 'string') return { kind: 'unreadable' };
  return { kind: 'basic', name, password: text.slice(colon + 1).normalize('NFC') };
}

function utf8(bytes: Buffer): string | undefined {
  if (bytes.length > longest) return undefined;
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}
