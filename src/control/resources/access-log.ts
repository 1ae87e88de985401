import { names } from './names.ts';
import { extension } from './types.ts';

/** Headers that are evidence and carry no secret of their own; what their values hold of secrets the sink withholds. */
const requestHeaders = ['referer', 'origin', 'content-type'];
const responseHeaders = ['x-amzn-requestid', 'content-type', 'location'];

/** One tag of an access-log entry, made from a format string. */
const tag = (name: string, format: string) => ({ tag: name, value: format });

/** A tag from dynamic or route metadata in our namespace; absent where there is none. */
const metadataTag = (name: string, kind: 'request' | 'route') => ({
  tag: name,
  metadata: { kind: { [kind]: {} }, metadata_key: { key: 'sekisho', path: [{ key: name }] } },
});

/** The logger of the CONNECTs at a forward door. */
export function connectLog(door: string, user: string | undefined): object {
  return httpLog(names.log(door, 'connect'), [
    tag('client', '%DOWNSTREAM_REMOTE_ADDRESS%'),
    ...(user === undefined ? [] : [tag('user', user)]),
    metadataTag('denied', 'route'),
  ]);
}

/** The logger of the requests inside: client, user and tunnel come through filter state from the CONNECT. */
export function requestLog(door: string): object {
  return httpLog(names.log(door, 'http'), [
    tag('client', '%FILTER_STATE(sekisho.client:PLAIN)%'),
    tag('tunnel', '%FILTER_STATE(sekisho.tunnel:PLAIN)%'),
    tag('user', '%FILTER_STATE(sekisho.user:PLAIN)%'),
    tag('id', '%FILTER_STATE(sekisho.id:PLAIN)%'),
    metadataTag('arn', 'request'),
    metadataTag('denied', 'route'),
  ]);
}

/**
 * The logger of connections that found no filter chain: a client from a network that the door does not serve, a server name off
 * the list. They never become HTTP, so no other logger sees them.
 */
export function connectionLog(door: string, tags: readonly object[] = []): object {
  return {
    ...extension('sekisho.connections', 'envoy.extensions.access_loggers.grpc.v3.TcpGrpcAccessLogConfig', {
      common_config: common(names.log(door, 'connection'), [
        ...tags,
        tag('uid', '%UNIQUE_ID%'),
        { tag: 'denied', literal: { value: 'no_filter_chain' } },
      ]),
    }),
    filter: { response_flag_filter: { flags: ['NR'] } },
  };
}

export const insideTags: readonly object[] = [
  tag('client', '%FILTER_STATE(sekisho.client:PLAIN)%'),
  tag('tunnel', '%FILTER_STATE(sekisho.tunnel:PLAIN)%'),
  tag('user', '%FILTER_STATE(sekisho.user:PLAIN)%'),
];

function httpLog(logName: string, tags: readonly object[]): object {
  return extension('sekisho.requests', 'envoy.extensions.access_loggers.grpc.v3.HttpGrpcAccessLogConfig', {
    additional_request_headers_to_log: requestHeaders,
    additional_response_headers_to_log: responseHeaders,
    common_config: common(logName, tags),
  });
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
