import type { FastifyRequest } from 'fastify';
import { SekishoError } from '../../base/errors.ts';
import type { RolloutCommand } from '../../control/rollout/rollout.types.ts';
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
  /** What Envoys handled against what is stored of it; undefined where this process stores nothing. */
  ledger(): unknown;
  /** What the nodes are told, without secrets; undefined where this process tells them nothing. */
  published(): unknown;
  /** Tells a rollout something in the name of `operator`; false where there is nothing that this could be said to. Throws `lease_elsewhere`. */
  command(command: RolloutCommand, operator: string): boolean;
}

const commands: readonly RolloutCommand[] = ['pause', 'resume', 'force', 'rollback'];

/** The header that a command needs: who gives it, percent-encoded. Nobody checks the name; it is for the record. */
export const operatorHeader = 'x-sekisho-operator';

/**
 * The operator's side: /healthz (the process answers), /readyz (it does its work; 503 and the reasons when not), /metrics, /fleet, /ledger and
 * /published, and by POST /fleet/pause, resume, force and rollback, answered with `{done, fleet}`,
 * or with 409 where another control plane decides.
 *
 * It has no access control yet, hence loopback only: it throws `policy_invalid` for any other address, and answers 421 to a request
 * whose Host is not a loopback one, so that no web page can read it by way of DNS. A page could still send a POST here without reading the answer;
 * but a browser sends a header of another name than the few that CORS knows as safe only after it has asked by OPTIONS (Fetch standard, "CORS-preflight
 * request"), and to that the answer is 405. So a command needs such a header.
 */
export async function adminServer(options: AdminServerOptions): Promise<HttpServer> {
  if (options.host !== 'localhost' && !isLoopbackAddress(options.host)) {
    throw new SekishoError('policy_invalid', `admin must listen on loopback, not on ${options.host}: use 127.0.0.1`, {
      facts: { host: options.host },
    });
  }
  const refuse = (request: Asked) => foreignHost(request) ?? foreignPage(request);
  return strictServer({ ...options, refuse, posts }, (app) => {
    app.get('/healthz', () => ({ status: 'ok' }));
    app.get('/readyz', (_request, reply) => {
      const { ready, reasons } = options.readiness();
      return reply.code(ready ? 200 : 503).send({ ready, reasons });
    });
    app.get('/metrics', async (_request, reply) => reply.type(prometheusText).send(await options.metrics()));
    app.get('/fleet', (_request, reply) => reply.type(json).send(JSON.stringify(options.fleet())));
    for (const command of commands) {
      app.post(`/fleet/${command}`, (request, reply) => {
        try {
          const done = options.command(command, operatorOf(request));
          return reply.type(json).send(JSON.stringify({ done, fleet: options.fleet() }));
        } catch (caught) {
          const { code, message } = SekishoError.from(caught);
          if (code !== 'lease_elsewhere') throw caught;
          return reply.code(409).send({ error: message });
        }
      });
    }
    app.get('/ledger', (_request, reply) => {
      const ledger = options.ledger();
      return ledger === undefined
        ? reply.code(404).send({ error: 'this process plays the role control alone and stores nothing' })
        : reply.type(json).send(JSON.stringify(ledger));
    });
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

const posts = commands.map((command) => `/fleet/${command}`);

type Asked = Pick<FastifyRequest, 'method' | 'headers'>;

/** RFC 9110 section 15.5.20: this server does not speak for that name. */
function foreignHost({ headers }: Asked) {
  if (isLoopbackHost(headers.host)) return undefined;
  return { status: 421, error: 'ask for this by a loopback name, such as 127.0.0.1' };
}

/** A program that means it sends the header; a page cannot. */
function foreignPage({ method, headers }: Asked) {
  if (method !== 'POST' || headers[operatorHeader] !== undefined) return undefined;
  return { status: 403, error: `a command needs the header ${operatorHeader}; sekisho fleet sends it` };
}

function operatorOf({ headers }: Asked): string {
  const name = String(headers[operatorHeader]);
  try {
    return decodeURIComponent(name).slice(0, operatorLength);
  } catch {
    return name.slice(0, operatorLength);
  }
}

/** Characters; more than a user of a system has in its name. */
const operatorLength = 64;
