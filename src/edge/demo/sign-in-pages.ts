import { randomBytes } from 'node:crypto';
import type { Page, PageRequest } from './page.ts';
import { html, redirect } from './page.ts';

/** Secrets that the stand-in hands out begin with these, so that whoever looks for leaks knows what to look for. */
export const standInSecrets = { code: 'stand-in-code-', credentials: 'stand-in-credentials-' } as const;

/** The end of an authorization-code flow with PKCE (RFC 6749 section 4.1.2, RFC 7636): back to the console with a code. */
export function authorize({ url }: PageRequest): Page {
  const state = url.searchParams.get('state');
  if (state === null || !url.searchParams.has('code_challenge')) {
    return html(400, 'Bad request', '<p>An authorization request carries a state and a code_challenge.</p>');
  }
  const back = backTo(url.searchParams.get('redirect_uri') ?? '/console/home', url);
  if (back === undefined) return html(400, 'Bad request', '<p>The redirect_uri is no https address.</p>');
  back.searchParams.set('code', standInSecrets.code + randomBytes(16).toString('hex'));
  back.searchParams.set('state', state);
  return redirect(back.origin === url.origin ? back.pathname + back.search : back.href);
}

function backTo(redirectUri: string, base: URL): URL | undefined {
  if (!URL.canParse(redirectUri, base.href)) return undefined;
  const back = new URL(redirectUri, base);
  return back.protocol === 'https:' ? back : undefined;
}

/** A form for people who try the stand-in with a browser. */
export function signInForm(): Page {
  return html(
    200,
    'Sign in (stand-in)',
    `<form method="post" action="/signin">
<p><label>Name <input name="username" value="taro" autocomplete="off"></label></p>
<p><label>Password <input name="password" type="password" autocomplete="off"></label></p>
<p><button>Sign in</button> Any password will do; use none of yours.</p>
</form>`,
  );
}

/** Sets the two cookies that matter to a record: the credentials, which no log may hold, and the claimed principal, which it should. */
export function signIn({ body }: PageRequest): Page {
  const form = new URLSearchParams(body.start);
  if (!form.get('password')) return html(401, 'Sign in (stand-in)', '<p>A password is needed; any will do.</p>');
  const user = (form.get('username') ?? '').replace(/[^\w+=,.@-]/g, '').slice(0, 64) || 'nobody';
  const arn = `arn:aws:sts::123456789012:assumed-role/Demo/${user}`;
  const userInfo = {
    arn,
    alias: '',
    username: `assumed-role/Demo/${user}`,
    keybase: '',
    issuer: 'stand-in',
    signinType: 'PUBLIC',
  };
  return redirect('/oauth?client_id=stand-in&response_type=code&state=demo-state&code_challenge=demo-challenge', [
    `aws-creds=${standInSecrets.credentials}${randomBytes(16).toString('hex')}; Path=/; Secure; HttpOnly`,
    `aws-userInfo=${encodeURIComponent(JSON.stringify(userInfo))}; Path=/; Secure`,
  ]);
}

/** Takes both cookies back. */
export function signOut(): Page {
  return redirect('/console/home', [
    'aws-creds=; Path=/; Max-Age=0; Secure; HttpOnly',
    'aws-userInfo=; Path=/; Max-Age=0; Secure',
  ]);
}
