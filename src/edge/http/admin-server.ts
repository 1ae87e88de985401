import { SekishoError } from '../../base/errors.ts';
import { isLoopbackAddress, isLoopbackHost } from './loopback-host.ts';
import type { HttpServer, StrictServerOptions } from './strict-server.ts';
import { strictServer } from './strict-server.ts';

export interface Readiness {
  readonly ready: boolean;
  /** What is waited for, one sentence each; for people. */
  readonly reasons: readonly string[];
}

export interface AdminServerOptions extends Omit<StrictServerOptions, 'refuse'> {
  /** Whether this process does its work now. */
  readiness(): Readiness;
  /** Everything measured, in the Prometheus text format. */
  metrics(): Promise<string>;
  /** The nodes and what they run; anything that JSON can hold. */
  fleet(): unknown;
  /** What the nodes are told, without secrets; undefined where this process tells them nothing. */
  published(): unknown;
}

/**
 * The operator's side: /healthz (the process answers), /readyz (it does its work; 503 and the reasons when not), /metrics, /fleet and
 * /published.
 *
 * It has no access control yet, hence loopback only: it throws `policy_invalid` for any other address, and answers 421 to a request
 * whose Host is not a loopback one, so that no web page can read it by way of DNS.
 */
export async function adminServer(options: AdminServerOptions): Promise<HttpServer> {
  if (options.host !== 'localhost' && !isLoopbackAddress(options.host)) {
    throw new SekishoError('policy_invalid', `admin must listen on loopback, not on ${options.host}: use 127.0.0.1`, {
      facts: { host: options.host },
    });
  }
  return strictServer({ ...options, refuse: foreignHost }, (app) => {
    app.get('/healthz', () => ({ status: 'ok' }));
    app.get('/readyz', (_request, reply) => {
      const { ready, reasons } = options.readiness();
      return reply.code(ready ? 200 : 503).send({ ready, reasons });
    });
    app.get('/metrics', async (_request, reply) => reply.type(prometheusText).send(await options.metrics()));
    app.get('/fleet', (_request, reply) => reply.type(json).send(JSON.stringify(options.fleet())));
    app.get('/published', (_request, reply) => {
      const published = options.published();
      return published === undefined
        ? reply.code(404).send({ error: 'this process plays the role sink alone and publishes nothing' })
        : reply.type(json).send(JSON.stringify(published));
    });
  });
}

const json = 'application/json; charset=utf-8';
const prometheusText = 'text/plain; version=0.0.4; charset=utf-8';

/** RFC 9110 section 15.5.20: this server does not speak for that name. */
function foreignHost(request: { readonly headers: { readonly host?: string | undefined } }) {
  if (isLoopbackHost(request.headers.host)) return undefined;
  return { status: 421, error: 'ask for this by a loopback name, such as 127.0.0.1' };
}
