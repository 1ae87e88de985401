import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import fastify from 'fastify';
import type { Log } from '../../base/log.ts';
import { silentLog } from '../../base/log.ts';
import { listenFailure } from './listen-failure.ts';

/** A running HTTP server. */
export interface HttpServer {
  readonly host: string;
  /** The port that it listens on: the one asked for, or the one that the system chose for 0. */
  readonly port: number;
  /** Stops accepting, lets answers under way finish for at most three seconds, then hangs up. May be called twice. */
  close(): Promise<void>;
}

export interface StrictServerOptions {
  /** An IP address or a name of this machine. */
  readonly host: string;
  /** 0 lets the system choose. */
  readonly port: number;
  readonly log?: Log;
  /** The paths that take POST, too, without a body; none unless told. */
  readonly posts?: readonly string[];
  /** A reason (status and what to tell) to turn a request away before it is looked at, or undefined. */
  readonly refuse?: (request: FastifyRequest) => Refusal | undefined;
}

export interface Refusal {
  readonly status: number;
  readonly error: string;
}

/**
 * An HTTP server that does little and does it strictly: GET and HEAD only unless told otherwise, the given routes only, short requests, short waits, headers that
 * keep a browser from making more of an answer than it is, JSON for every error, and no word about what runs here.
 * Throws `address_in_use` where the port is taken, `usage` where the address is none of this machine's.
 */
export async function strictServer(
  options: StrictServerOptions,
  routes: (app: FastifyInstance) => void,
): Promise<HttpServer> {
  const log = options.log ?? silentLog;
  const app = fastify({
    ...limits,
    frameworkErrors: (_error, request, reply) => {
      void answerError(request, reply, { status: 400, error: 'not an address' });
    },
  });
  app.server.maxConnections = maxConnections;
  app.addHook('onRequest', (request, reply, next) => {
    const refusal = notAllowed(request, options.posts ?? []) ?? options.refuse?.(request);
    if (refusal !== undefined) return void answerError(request, reply, refusal);
    reply.headers(securityHeaders);
    next();
  });
  app.setNotFoundHandler((request, reply) => answerError(request, reply, { status: 404, error: 'nothing here' }));
  app.setErrorHandler((error, request, reply) => {
    const { statusCode } = error as { readonly statusCode?: number };
    if (statusCode !== undefined && statusCode < 500) {
      return answerError(request, reply, { status: statusCode, error: 'this takes no such body' });
    }
    log.error('an HTTP answer failed', { path: request.routeOptions.url, error });
    return answerError(request, reply, { status: 500, error: 'the answer failed; the log says why' });
  });
  routes(app);
  try {
    await app.listen({ host: options.host, port: options.port });
  } catch (caught) {
    await app.close();
    throw listenFailure(caught, options.host, options.port);
  }
  return { host: options.host, port: portOf(app), close: closing(app) };
}

/** Nothing that is asked here is long, and nobody who asks needs time. */
const limits = {
  /** Bytes of a body; no route wants one. */
  bodyLimit: 1024,
  /** Milliseconds for a whole request to arrive. */
  requestTimeout: 10_000,
  /** Milliseconds of silence on a connection, before and between requests. */
  connectionTimeout: 30_000,
  keepAliveTimeout: 5_000,
  maxRequestsPerSocket: 1000,
  /** Bytes of all request headers; and how often, in milliseconds, the limits above are looked after. */
  http: { maxHeaderSize: 8192, connectionsCheckingInterval: 2_000 },
} as const;
const maxConnections = 512;
const graceMilliseconds = 3_000;

const securityHeaders = {
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
} as const;

function notAllowed({ method, url }: FastifyRequest, posts: readonly string[]): Refusal | undefined {
  if (method === 'GET' || method === 'HEAD') return undefined;
  return method === 'POST' && posts.includes(url) ? undefined : { status: 405, error: 'only GET and HEAD' };
}

/** Turns a request away, in JSON, with the headers that every answer has. */
export function answerError(request: FastifyRequest, reply: FastifyReply, refusal: Refusal): FastifyReply {
  reply.headers(securityHeaders).code(refusal.status);
  if (refusal.status === 405) reply.header('allow', 'GET, HEAD');
  // A body that nobody reads would be taken for the next request (RFC 9112 section 9.3).
  if (request.headers['content-length'] !== undefined || request.headers['transfer-encoding'] !== undefined) {
    reply.header('connection', 'close');
  }
  return reply.send({ error: refusal.error });
}

function portOf(app: FastifyInstance): number {
  const address = app.server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

function closing(app: FastifyInstance): () => Promise<void> {
  let closed: Promise<void> | undefined;
  return () => (closed ??= close(app));
}

async function close(app: FastifyInstance): Promise<void> {
  const patience = setTimeout(() => {
    app.server.closeAllConnections();
  }, graceMilliseconds);
  try {
    await app.close();
  } finally {
    clearTimeout(patience);
  }
}
