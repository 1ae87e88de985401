/**
 * Every way in which Sekisho can fail on purpose. Each code has a paragraph in docs/errors.md; a test compares the two.
 */
export const errorCodes = [
  'usage',
  'policy_invalid',
  'file_unreadable',
  'file_unwritable',
  'folder_in_use',
  'journal_corrupt',
  'journal_closed',
  'state_invalid',
  'state_unshared',
  'lease_lost',
  'lease_elsewhere',
  'disk_full',
  'disk_failed',
  'record_malformed',
  'record_too_large',
  'resource_invalid',
  'reference_missing',
  'node_unknown',
  'identity_mismatch',
  'request_malformed',
  'limit_exceeded',
  'ca_missing',
  'ca_invalid',
  'address_in_use',
  'server_unreachable',
  'envoy_missing',
  'envoy_failed',
  'internal',
] as const;

export type ErrorCode = (typeof errorCodes)[number];

/** Where and what: a file, a line, a field path, a stream, an offset. Values that may be shown to anyone who reads the log. */
export type ErrorFacts = Readonly<Record<string, string | number | boolean | undefined>>;

/** The one error class of Sekisho. `message` says what is wrong and what to do next; `facts` say where. */
export class SekishoError extends Error {
  override readonly name = 'SekishoError';
  readonly code: ErrorCode;
  readonly facts: ErrorFacts;

  constructor(code: ErrorCode, message: string, options: { facts?: ErrorFacts; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.facts = options.facts ?? {};
  }

  /** The one place where something caught becomes a SekishoError. */
  static from(caught: unknown, code: ErrorCode = 'internal'): SekishoError {
    if (caught instanceof SekishoError) return caught;
    if (caught instanceof Error) return new SekishoError(code, caught.message, { cause: caught });
    return new SekishoError(code, String(caught), { cause: caught });
  }
}

/** The errno name ('ENOENT', 'ENOSPC', …) of something that the operating system refused, if that is what it is. */
export function errnoOf(caught: unknown): string | undefined {
  if (!(caught instanceof Error) || !('code' in caught)) return undefined;
  return typeof caught.code === 'string' ? caught.code : undefined;
}
