/** A request as far as a page depends on it. */
export interface PageRequest {
  readonly method: string;
  readonly url: URL;
  /** Length and SHA-256 (hexadecimal) of the body, and its first bytes as text. */
  readonly body: { readonly bytes: number; readonly sha256: string; readonly start: string };
}

export interface Page {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | readonly string[]>>;
  readonly body: string | Buffer;
  /** Milliseconds to wait before the answer. */
  readonly delay?: number;
  /** Chunks to send one by one after the body, and milliseconds between them. */
  readonly events?: { readonly chunks: readonly string[]; readonly every: number };
}

/** `title` and `content` are HTML: nothing of a request stands in them unchecked. */
export function html(status: number, title: string, content: string): Page {
  const body = `<!doctype html>\n<html lang="en">\n<title>${title}</title>\n<h1>${title}</h1>\n${content}\n</html>\n`;
  return { status, headers: { 'content-type': 'text/html; charset=utf-8' }, body };
}

export function json(status: number, value: unknown): Page {
  return { status, headers: { 'content-type': 'application/json' }, body: JSON.stringify(value) };
}

export function redirect(location: string, cookies: readonly string[] = []): Page {
  return { status: 302, headers: { location, ...(cookies.length > 0 && { 'set-cookie': cookies }) }, body: '' };
}
