import { BytesMemo } from './bytes-memo.ts';
import { percentDecode } from './percent.ts';

/** What must not reach the disk, by name. Made once by `redactionRules`. */
export interface RedactionRules {
  /** The secret parameter that `written` (percent-encoded or not, any case) names, as a mark shows it; undefined if none. */
  secretParameter(written: string): string | undefined;
  /** The same question about bytes, answered without making a string. */
  isSecretParameter(buffer: Buffer, from: number, to: number): boolean;
  /** Whether a header, tag or metadata key of that name carries a secret as its value. */
  isSecretHeader(buffer: Buffer, from: number, to: number): boolean;
}

/** The names whose values are withheld. docs/records.md lists them, and a test compares the two. */
export const secretNames = {
  /** Parameters, compared without case, hyphens and underscores. */
  parameters: words(`
    code state nonce code_challenge code_verifier authcode authorization_code user_code device_code
    id_token_hint login_hint_token oauth_verifier csrf xsrf
    SAMLResponse SAMLRequest SAMLart RelayState
    session sessid sid PHPSESSID ticket cookie creds aws-creds
    AWSAccessKeyId sig hmac auth authorization pass pwd passphrase otp mfa_code
  `),
  /** Parameters and headers that end so: `SigninToken`, `X-Amz-Signature`, `client_secret`, `x-api-key`. */
  endings: words(`
    token password passwd secret signature credential credentials assertion
    apikey accesskey secretkey privatekey sessionkey sessionid jwt
  `),
  /** Headers, tags and metadata keys. */
  headers: words(`
    cookie2 set-cookie2 authentication-info proxy-authentication-info dpop x-amzn-oidc-accesstoken x-amzn-oidc-data
  `),
  /** Headers, tags and metadata keys with one of these as a word: `set-cookie`, `proxy-authorization`, `x-token-id`. */
  headerWords: words(`
    token secret password passwd cookie cookies credential credentials authorization jwt signature apikey accesstoken
    bearer creds csrf xsrf otp passphrase pwd
  `),
} as const;

const headers: ReadonlySet<string> = new Set(secretNames.headers);
const headerWords: ReadonlySet<string> = new Set(secretNames.headerWords);

/** The rules of a policy: the built-in names and `extra` parameter names (`record.redact.query`). */
export function redactionRules(extra: readonly string[] = []): RedactionRules {
  const exact = new Set([...secretNames.parameters, ...extra].map(fold));
  const secretParameter = (written: string): string | undefined => secretPart(written, exact);
  const parameters = new BytesMemo((name) => secretParameter(name) !== undefined);
  const namedHeaders = new BytesMemo(isSecretHeader);
  return {
    secretParameter,
    isSecretParameter: (buffer, from, to) => parameters.of(buffer, from, to),
    isSecretHeader: (buffer, from, to) => namedHeaders.of(buffer, from, to),
  };
}

function secretPart(written: string, exact: ReadonlySet<string>): string | undefined {
  const { text, complete } = percentDecode(written);
  if (!complete) return 'encoded'; // Encoded deeper than anyone means well.
  // `user[password]`, `auth.token`, ` code`: each part counts, for some server splits there.
  return text.split(/[^\w-]+/).find((part) => isSecretName(fold(part), exact));
}

function isSecretName(folded: string, exact: ReadonlySet<string>): boolean {
  return exact.has(folded) || endsSecretly(folded);
}

function isSecretHeader(written: string): boolean {
  const name = written.toLowerCase();
  return (
    headers.has(name) || endsSecretly(fold(name)) || name.split(/[^a-z0-9]+/).some((word) => headerWords.has(word))
  );
}

function endsSecretly(folded: string): boolean {
  return secretNames.endings.some((ending) => folded.endsWith(ending));
}

function fold(name: string): string {
  return name.toLowerCase().replaceAll(/[-_]/g, '');
}

function words(text: string): readonly string[] {
  return text.trim().split(/\s+/);
}
