import { adsWithoutTimeout, extension } from './types.ts';
import { forgedHeaders } from './headers.ts';
import { unrecordedReply } from './unrecorded-reply.ts';

/** What differs between the HTTP connection managers of the doors; the rest is the same everywhere. */
export interface ConnectionManager {
  readonly statPrefix: string;
  readonly routes: string;
  readonly accessLog: readonly object[];
  readonly http2: object;
  readonly upgrade: 'CONNECT' | 'websocket';
  readonly filters: readonly object[];
  /** What people read where the question of the door got no answer; undefined where none is asked. */
  readonly unrecorded?: 'page' | 'line' | undefined;
}

export const router = extension('envoy.filters.http.router', 'envoy.extensions.filters.http.router.v3.Router', {
  suppress_envoy_headers: true,
});

/** An HTTP connection manager at an edge: nothing that a client says of itself is believed. */
export function httpConnectionManager(one: ConnectionManager): object {
  return extension(
    'envoy.filters.network.http_connection_manager',
    'envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager',
    {
      stat_prefix: one.statPrefix,
      codec_type: 'AUTO',
      rds: { config_source: adsWithoutTimeout, route_config_name: one.routes },
      http_filters: one.filters,
      access_log: one.accessLog,
      ...(one.unrecorded !== undefined && { local_reply_config: unrecordedReply(one.unrecorded) }),
      // The peer of the connection is the client; x-forwarded-for neither counts nor grows.
      use_remote_address: true,
      skip_xff_append: true,
      early_header_mutation_extensions: [forgedHeaders],
      // A fresh id for every request: it is the key of the record.
      generate_request_id: true,
      preserve_external_request_id: false,
      server_header_transformation: 'PASS_THROUGH',
      upgrade_configs: [{ upgrade_type: one.upgrade }],
      http2_protocol_options: { max_concurrent_streams: 100, ...one.http2 },
      common_http_protocol_options: { idle_timeout: '3600s', headers_with_underscores_action: 'ALLOW' },
      request_headers_timeout: '30s',
      stream_idle_timeout: '300s',
    },
  );
}
