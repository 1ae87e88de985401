import type { PublishedCertificate } from './published-certificates.ts';
import type { HttpServer, StrictServerOptions } from './strict-server.ts';
import { answerError, strictServer } from './strict-server.ts';

export interface PublicServerOptions extends Omit<StrictServerOptions, 'refuse'> {
  /**
   * The PAC script for a client that reached this server under a name: the host of its Host header without port, lower case, or undefined
   * where it sent none that is a name or address. Undefined where there is no proxy to lead to.
   */
  pac(requestHost: string | undefined): string | undefined;
  readonly certificates: readonly PublishedCertificate[];
}

/**
 * What a workstation needs before it can come through a door: /proxy.pac, the CA certificates, and an index page at / that names them.
 * Plain HTTP without access control, because nothing here is secret; what must be true (the CA) is compared by its fingerprint.
 */
export async function publicServer(options: PublicServerOptions): Promise<HttpServer> {
  const index = indexPage(options.certificates);
  return strictServer(options, (app) => {
    app.get('/', (_request, reply) => reply.type('text/html; charset=utf-8').send(index));
    app.get('/proxy.pac', (request, reply) => {
      const script = options.pac(nameOf(request.headers.host));
      if (script === undefined) return answerError(request, reply, noProxy);
      return reply.type('application/x-ns-proxy-autoconfig').header('cache-control', 'max-age=300').send(script);
    });
    for (const { path, name, contentType, body } of options.certificates) {
      app.get(path, (_request, reply) =>
        reply.type(contentType).header('content-disposition', `attachment; filename="${name}"`).send(body),
      );
    }
  });
}

const noProxy = {
  status: 404,
  error:
    'no proxy to lead to: reverse doors and sidecars need no proxy configuration; for one, give the policy a forward door whose nodes have an address',
};

function nameOf(host: string | undefined): string | undefined {
  return /^([a-z0-9.-]{1,253}|\[[0-9a-f:.]{2,45}\])(?::\d{1,5})?$/.exec((host ?? '').toLowerCase())?.[1];
}

function indexPage(certificates: readonly PublishedCertificate[]): string {
  const items = certificates.map(
    ({ path, name, fingerprint }) => `<li><a href="${path}">${escaped(name)}</a>, SHA-256 ${escaped(fingerprint)}</li>`,
  );
  return `<!doctype html>
<html lang="en">
<title>Sekisho</title>
<h1>Sekisho</h1>
<p>The way to the console leads through a proxy that writes down every request.</p>
<ul>
<li><a href="/proxy.pac">proxy.pac</a>: the automatic proxy configuration; give your browser this address.</li>
${items.join('\n')}
</ul>
<p>Before you trust the certificate, compare its fingerprint with the one that your administrator gave you.</p>
</html>
`;
}

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);
}
