import {
  httpNumbers,
  httpReceipt,
  receiptLayouts,
  receiptLimits,
  tcpNumbers,
  tcpReceipt,
  type HttpReceiptField,
} from '../../wire/receipt-layout.ts';
import { names } from './names.ts';
import { extension } from './types.ts';

/**
 * The logger that brings what an access log brings once more, by OTLP, which the sink acknowledges: the same entries, by the same filter, as the sink
 * translates them back. Everything else here is as it must be for no record to be lost (measured on Envoy 1.40):
 *
 * - No buffer settings: the fields of this message are ignored, those of `common_config` make batches of more than 64 KiB, which Envoy never sends again.
 * - No time limit, and retries without end. `max_interval` is the time limit of each try as well, and must be longer than the sink's slowest answer.
 */
export function receiptLog(layout: 'http' | 'tcp', logName: string, tags: readonly object[]): object {
  const list: readonly HttpReceiptField[] = layout === 'http' ? httpReceipt : tcpReceipt;
  return extension(
    'sekisho.receipts',
    'envoy.extensions.access_loggers.open_telemetry.v3.OpenTelemetryAccessLogConfig',
    {
      log_name: logName,
      stat_prefix: 'sekisho.',
      grpc_service: {
        envoy_grpc: { cluster_name: names.sekisho },
        timeout: '0s',
        retry_policy: {
          retry_on:
            'connect-failure,refused-stream,reset,unavailable,cancelled,resource-exhausted,internal,deadline-exceeded',
          num_retries: 100_000,
          retry_back_off: { base_interval: '0.5s', max_interval: '10s' },
        },
      },
      body: { array_value: { values: list.map((field) => ({ string_value: formatOf(layout, field) })) } },
      custom_tags: tags,
    },
  );
}

function formatOf(layout: 'http' | 'tcp', field: HttpReceiptField): string {
  if (field === 'layout') return receiptLayouts[layout];
  if (field === 'numbers') {
    return (layout === 'http' ? httpNumbers : tcpNumbers).map((name) => `%${numbers[name]}%`).join(' ');
  }
  const limit = receiptLimits[field];
  return limit === undefined ? formats[field] : `%${formats[field]}:${limit}%`;
}

const numbers: Readonly<Record<(typeof httpNumbers)[number], string>> = {
  response_code: 'RESPONSE_CODE',
  received_bytes: 'BYTES_RECEIVED',
  sent_bytes: 'BYTES_SENT',
  downstream_wire_bytes_received: 'DOWNSTREAM_WIRE_BYTES_RECEIVED',
  downstream_wire_bytes_sent: 'DOWNSTREAM_WIRE_BYTES_SENT',
  upstream_request_attempt_count: 'UPSTREAM_REQUEST_ATTEMPT_COUNT',
  request_headers_bytes: 'REQUEST_HEADERS_BYTES',
  response_headers_bytes: 'RESPONSE_HEADERS_BYTES',
};

/** Of those that have a limit, the command alone. CEL says exactly, and without underscores, what the plain commands change. */
const formats: Readonly<Record<Exclude<HttpReceiptField, 'layout' | 'numbers'>, string>> = {
  stream_id: '%STREAM_ID%',
  access_log_type: '%ACCESS_LOG_TYPE%',
  downstream_remote_address: '%DOWNSTREAM_REMOTE_ADDRESS%',
  epoch: "%CEL(xds.node.metadata['sekisho.epoch'])%",
  duration: '%CEL(request.duration)% %DURATION%',
  words: '%PROTOCOL% %RESPONSE_FLAGS% %DOWNSTREAM_TLS_VERSION%',
  downstream_local_address: '%DOWNSTREAM_LOCAL_ADDRESS%',
  downstream_direct_remote_address: '%DOWNSTREAM_DIRECT_REMOTE_ADDRESS%',
  upstream_remote_address: '%UPSTREAM_HOST%',
  tls_sni_hostname: '%REQUESTED_SERVER_NAME%',
  peer_subject: '%DOWNSTREAM_PEER_SUBJECT%',
  ja3_fingerprint: '%TLS_JA3_FINGERPRINT%',
  upstream_cluster: '%UPSTREAM_CLUSTER%',
  route_name: '%ROUTE_NAME%',
  upstream_transport_failure_reason: '%CEL(upstream.transport_failure_reason)%',
  downstream_transport_failure_reason: '%CEL(connection.transport_failure_reason)%',
  connection_termination_details: '%CONNECTION_TERMINATION_DETAILS%',
  request_method: 'REQ(:METHOD)',
  scheme: 'REQ(:SCHEME)',
  authority: 'REQ(:AUTHORITY)',
  path: 'REQ(:PATH)',
  user_agent: 'REQ(USER-AGENT)',
  referer: 'REQ(REFERER)',
  forwarded_for: 'REQ(X-FORWARDED-FOR)',
  request_id: 'REQ(X-REQUEST-ID)',
  original_path: 'REQ(X-ENVOY-ORIGINAL-PATH)',
  origin: 'REQ(ORIGIN)',
  content_type: 'REQ(CONTENT-TYPE)',
  response_code_details: '%RESPONSE_CODE_DETAILS(ALLOW_WHITESPACES)%',
  response_content_type: 'RESP(CONTENT-TYPE)',
  location: 'RESP(LOCATION)',
  x_amzn_requestid: 'RESP(X-AMZN-REQUESTID)',
};
