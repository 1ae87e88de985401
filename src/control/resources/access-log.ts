import type { Assurance, Door, Policy } from '../../policy/policy.types.ts';
import { authorizationFilter, isGated } from './authorization.ts';
import { names } from './names.ts';
import { receiptLog } from './receipt-log.ts';
import { extension } from './types.ts';

/** Headers that are evidence and carry no secret of their own; what their values hold of secrets the sink withholds. */
const requestHeaders = ['referer', 'origin', 'content-type'];
const responseHeaders = ['x-amzn-requestid', 'content-type', 'location'];

/** The format strings by which a logger says who is at the other end. */
export interface Visitor {
  readonly client: string;
  readonly user?: string;
  /** The CONNECT behind which this is. */
  readonly tunnel?: string;
  /** Where the client meant to go before nftables redirected it. */
  readonly original?: string;
}

/** At the listener that people reach, the connection itself tells. */
export function visitorAt(door: Door): Visitor {
  const user = userFormat(door);
  return {
    client: '%DOWNSTREAM_REMOTE_ADDRESS%',
    ...(user !== undefined && { user }),
    ...(door.kind === 'sidecar' && { original: '%DOWNSTREAM_LOCAL_ADDRESS%' }),
  };
}

/** Inside a CONNECT all of that comes through filter state. */
export const visitorInside: Visitor = {
  client: '%FILTER_STATE(sekisho.client:PLAIN)%',
  tunnel: '%FILTER_STATE(sekisho.tunnel:PLAIN)%',
  user: '%FILTER_STATE(sekisho.user:PLAIN)%',
};

/** The loggers of the CONNECTs at a forward door. */
export function connectLog(door: Door, policy: Policy): readonly object[] {
  return httpLog(policy.record.assurance, names.log(door.name, 'connect'), [
    ...tagsOf(visitorAt(door)),
    metadataTag('denied', 'route'),
    ...(door.users.kind === 'basic' || isGated(policy) ? [barredTag] : []),
  ]);
}

/** The loggers of the requests to the console. */
export function requestLog(door: Door, policy: Policy, visitor: Visitor): readonly object[] {
  return httpLog(policy.record.assurance, names.log(door.name, 'http'), [
    ...tagsOf(visitor),
    tag('id', '%FILTER_STATE(sekisho.id:PLAIN)%'),
    arnTag,
    metadataTag('denied', 'route'),
    ...(isGated(policy) ? [barredTag] : []),
  ]);
}

/** The loggers of connections that pass undecrypted: when they are through, while they last, and at their end. */
export function tunnelLog(door: Door, policy: Policy, visitor: Visitor): readonly object[] {
  return tcpLog(policy.record.assurance, names.log(door.name, 'tcp'), tagsOf(visitor));
}

/**
 * The loggers of connections that never become HTTP, which no other logger sees: those that found no filter chain (a client from a network that the
 * door does not serve, a server name off the list, bytes that are no TLS), those whose handshake failed, and those that Envoy ended because what came
 * was no HTTP: to HTTP/2 that is no request, and its own logger says nothing of it.
 */
export function connectionLog(door: Door, policy: Policy, visitor: Visitor): readonly object[] {
  return unfinishedLog(policy.record.assurance, names.log(door.name, 'connection'), tagsOf(visitor));
}

/** The loggers of a listener that is no door: the same, and nobody says who is at the other end but the connection itself. */
export function loggersOf(
  listener: string,
  assurance: Assurance,
): {
  readonly http: readonly object[];
  readonly tcp: readonly object[];
  readonly connection: readonly object[];
} {
  const name = names.extra(listener);
  return {
    http: httpLog(assurance, names.log(name, 'http'), []),
    tcp: tcpLog(assurance, names.log(name, 'tcp'), []),
    connection: unfinishedLog(assurance, names.log(name, 'connection'), []),
  };
}

function tcpLog(assurance: Assurance, logName: string, tags: readonly object[]): object[] {
  const stream = extension('sekisho.tunnels', tcpLogger, { common_config: common(logName, tags) });
  return [stream, ...receipts(assurance, 'tcp', logName, tags)];
}

function unfinishedLog(assurance: Assurance, logName: string, tags: readonly object[]): object[] {
  const withId = [...tags, tag('uid', '%UNIQUE_ID%')];
  const stream = extension('sekisho.connections', tcpLogger, { common_config: common(logName, withId) });
  const filter = { or_filter: { filters: [{ response_flag_filter: { flags: ['NR', 'DPE'] } }, failedHandshake] } };
  return [stream, ...receipts(assurance, 'tcp', logName, withId)].map((logger) => ({ ...logger, filter }));
}

function receipts(
  assurance: Assurance,
  layout: 'http' | 'tcp',
  logName: string,
  tags: readonly object[],
): readonly object[] {
  if (assurance === 'stream') return [];
  return [
    receiptLog(
      layout,
      logName,
      tags.map((one) => (one === arnTag ? shortArnTag : one)),
    ),
  ];
}

/**
 * Envoy fills the failure reason on ordinary closes, too: a connection inside a CONNECT that its client resets reads `TLS_error … system library …
 * Connection reset by peer`. Only TLS itself writes `SSL routines` there.
 */
const failedHandshake = {
  extension_filter: extension(
    'envoy.access_loggers.extension_filters.cel',
    'envoy.extensions.access_loggers.filters.cel.v3.ExpressionFilter',
    { expression: "connection.transport_failure_reason.contains('SSL routines')" },
  ),
};

const tcpLogger = 'envoy.extensions.access_loggers.grpc.v3.TcpGrpcAccessLogConfig';

/** How Envoy says who authenticated at this door; undefined where nobody has to. */
export function userFormat({ users }: Door): string | undefined {
  switch (users.kind) {
    case 'none':
      return undefined;
    case 'certificate':
      return '%DOWNSTREAM_PEER_SUBJECT%';
    case 'basic':
      return `%DYNAMIC_METADATA(${authorizationFilter}:user)%`;
  }
}

function tagsOf(visitor: Visitor): object[] {
  return Object.entries(visitor).map(([name, format]: [string, string]) => tag(name, format));
}

/** One tag of an access-log entry, made from a format string. */
function tag(name: string, format: string): object {
  return { tag: name, value: format };
}

/** A tag from dynamic or route metadata, in our namespace and under its own name unless told; absent where there is none. */
function metadataTag(name: string, kind: 'request' | 'route', namespace = 'sekisho', key = name): object {
  return {
    tag: name,
    metadata: { kind: { [kind]: {} }, metadata_key: { key: namespace, path: [{ key }] } },
  };
}

/** Why whoever answers the question of the door said no. */
const barredTag = metadataTag('barred', 'request', authorizationFilter, 'denied');

/** Where the cookie is none of the console's, its whole value stands here. The sink leaves it out; a receipt must not become too long before. */
const arnTag = metadataTag('arn', 'request');
const shortArnTag = tag('arn', '%DYNAMIC_METADATA(sekisho:arn):2048%');

function httpLog(assurance: Assurance, logName: string, tags: readonly object[]): object[] {
  const stream = extension('sekisho.requests', 'envoy.extensions.access_loggers.grpc.v3.HttpGrpcAccessLogConfig', {
    additional_request_headers_to_log: requestHeaders,
    additional_response_headers_to_log: responseHeaders,
    common_config: common(logName, tags),
  });
  return [stream, ...receipts(assurance, 'http', logName, tags)];
}

/**
 * Both when Envoy flushes and how much it keeps while its stream to the sink is not ready to be written; what does not fit is dropped. At
 * Envoy's usual 16 KiB, 600 requests at once while the streams were opening lost 52 records. A message must stay below what the sink reads
 * (4 MiB).
 */
const bufferBytes = 1024 * 1024;

function common(logName: string, tags: readonly object[]): object {
  return {
    log_name: logName,
    transport_api_version: 'V3',
    grpc_service: { envoy_grpc: { cluster_name: names.sekisho }, timeout: '0s' },
    buffer_size_bytes: bufferBytes,
    buffer_flush_interval: '1s',
    grpc_stream_retry_policy: { num_retries: 100 },
    custom_tags: tags,
  };
}
