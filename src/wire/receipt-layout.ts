/**
 * What Sekisho's OTLP loggers write and its sink reads: the body of a log record is an array of texts, one for each of these, in this order. Names are
 * those of the field of Envoy's access-log entry that the text becomes. An array, since names would double what Envoy keeps while a sink is away.
 *
 * `numbers` and `words` are several texts with blanks between them; nobody outside chooses a word of theirs. A layout that changes gets another mark.
 */
const common = [
  'layout',
  'stream_id',
  'access_log_type',
  'downstream_remote_address',
  'epoch',
  'duration',
  'numbers',
  'words',
  'downstream_local_address',
  'downstream_direct_remote_address',
  'upstream_remote_address',
  'tls_sni_hostname',
  'peer_subject',
  'ja3_fingerprint',
  'upstream_cluster',
  'route_name',
  'upstream_transport_failure_reason',
  'downstream_transport_failure_reason',
  'connection_termination_details',
] as const;

const request = [
  'request_method',
  'scheme',
  'authority',
  'path',
  'user_agent',
  'referer',
  'forwarded_for',
  'request_id',
  'original_path',
  'origin',
  'content_type',
] as const;
const response = ['response_code_details', 'response_content_type', 'location', 'x_amzn_requestid'] as const;

export const httpReceipt = [...common, ...request, ...response] as const;
export const tcpReceipt = common;

export type HttpReceiptField = (typeof httpReceipt)[number];

/** The first text of a body. */
export const receiptLayouts = { http: 'http/1', tcp: 'tcp/1' } as const;

/** In `numbers`, in this order. */
export const httpNumbers = [
  'response_code',
  'received_bytes',
  'sent_bytes',
  'downstream_wire_bytes_received',
  'downstream_wire_bytes_sent',
  'upstream_request_attempt_count',
  'request_headers_bytes',
  'response_headers_bytes',
] as const;
/** The same for connections, which have no headers and no status. */
export const tcpNumbers = httpNumbers.slice(1, 6);

/**
 * Bytes at which Envoy cuts a text. A batch of more than 64 KiB is never sent again, and Envoy sends one when it holds 16 KiB; so all of these, of one
 * record, stay below 48 KiB.
 */
export const receiptLimits: Readonly<Partial<Record<HttpReceiptField, number>>> = {
  path: 8192,
  original_path: 4096,
  location: 8192,
  referer: 4096,
  user_agent: 2048,
  authority: 1024,
  forwarded_for: 1024,
  request_id: 1024,
  origin: 1024,
  content_type: 512,
  response_content_type: 512,
  x_amzn_requestid: 512,
  request_method: 64,
  scheme: 64,
};
