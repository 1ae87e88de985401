import type { Page, PageRequest } from './page.ts';
import { html, json, redirect } from './page.ts';
import { authorize, signIn, signInForm, signOut } from './sign-in-pages.ts';

export const downloadBytes = 3 * 1024 * 1024;

/** The page for a request, whatever the host: a console in shape, and in words plainly none. */
export function pageFor(request: PageRequest): Page {
  const { pathname } = request.url;
  const page =
    pages[`${request.method} ${pathname}`] ?? (request.method === 'HEAD' ? pages[`GET ${pathname}`] : undefined);
  if (page !== undefined) return page(request);
  if (pathname.startsWith('/api/')) return api(request);
  return html(404, 'Nothing here', '<p>The stand-in has no such page.</p>');
}

const pages: Readonly<Partial<Record<string, (request: PageRequest) => Page>>> = {
  'GET /': () => redirect('/console/home'),
  'GET /console/home': home,
  'GET /ec2/home': ec2,
  'GET /oauth': authorize,
  'GET /signin': signInForm,
  'POST /signin': signIn,
  'GET /signout': signOut,
  'GET /events': events,
  'GET /download': () => ({
    status: 200,
    headers: { 'content-type': 'application/octet-stream' },
    // One buffer for all, however many download at once.
    body: (download ??= Buffer.alloc(downloadBytes, 'sekisho ')),
  }),
  'GET /slow': ({ url }) => ({ ...json(200, { slow: true }), delay: numberIn(url, 'milliseconds', 2000, 10_000) }),
  'GET /broken': () => html(503, 'Unavailable', '<p>The stand-in plays an outage.</p>'),
};

let download: Buffer | undefined;

function home(): Page {
  const signInLink =
    '/oauth?client_id=stand-in&amp;response_type=code&amp;state=demo-state&amp;code_challenge=demo-challenge';
  return html(
    200,
    'Console home (stand-in)',
    `<p>This is a stand-in on this machine. Nothing here reaches a cloud.</p>
<ul>
<li><a href="${signInLink}">Sign in without a form</a></li>
<li><a href="/signin">Sign in</a>, <a href="/signout">sign out</a></li>
<li><a href="/ec2/home?region=us-east-1">Instances</a></li>
<li><a href="/api/instances">An API call</a>, <a href="/events">events</a>, <a href="/download">3 MiB</a>, <a href="/slow">a slow answer</a></li>
<li><a href="/missing">404</a>, <a href="/broken">503</a></li>
</ul>`,
  );
}

function ec2({ url }: PageRequest): Page {
  const region = /^[a-z0-9-]{1,32}$/.exec(url.searchParams.get('region') ?? '')?.[0] ?? 'no region';
  return html(200, `Instances in ${region} (stand-in)`, '<p>There are no instances here.</p>');
}

function api({ method, url, body }: PageRequest): Page {
  return json(200, {
    standIn: true,
    method,
    call: url.pathname.slice('/api/'.length),
    bytes: body.bytes,
    sha256: body.sha256,
  });
}

/** Server-sent events (HTML Living Standard section 9.2). */
function events({ url }: PageRequest): Page {
  const count = numberIn(url, 'count', 3, 100);
  return {
    status: 200,
    headers: { 'content-type': 'text/event-stream' },
    body: ': the stand-in speaks\n\n',
    events: {
      chunks: Array.from({ length: count }, (_, i) => `data: ${i + 1}\n\n`),
      every: numberIn(url, 'every', 100, 5000),
    },
  };
}

/** A whole number from the query, at most `most`. */
function numberIn(url: URL, name: string, otherwise: number, most: number): number {
  const value = Number(url.searchParams.get(name) ?? otherwise);
  return Number.isInteger(value) && value >= 0 ? Math.min(value, most) : otherwise;
}
