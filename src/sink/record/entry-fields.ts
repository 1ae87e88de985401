/**
 * Field numbers of envoy.data.accesslog.v3 and of the messages in it, as far as Sekisho reads them. The names are Envoy's own;
 * a test compares the numbers with Envoy's .proto files.
 */
export const streamAccessLogsMessage = { identifier: 1, http_logs: 2, tcp_logs: 3 } as const;
export const streamIdentifier = { node: 1, log_name: 2 } as const;
export const logEntries = { log_entry: 1 } as const;
export const node = { id: 1, cluster: 2, metadata: 3 } as const;

export const httpAccessLogEntry = { common_properties: 1, protocol_version: 2, request: 3, response: 4 } as const;
export const tcpAccessLogEntry = { common_properties: 1, connection_properties: 2 } as const;
export const connectionProperties = { received_bytes: 1, sent_bytes: 2 } as const;

export const accessLogCommon = {
  downstream_remote_address: 2,
  downstream_local_address: 3,
  tls_properties: 4,
  start_time: 5,
  upstream_remote_address: 13,
  upstream_cluster: 15,
  response_flags: 16,
  metadata: 17,
  upstream_transport_failure_reason: 18,
  route_name: 19,
  downstream_direct_remote_address: 20,
  filter_state_objects: 21,
  custom_tags: 22,
  duration: 23,
  upstream_request_attempt_count: 24,
  connection_termination_details: 25,
  stream_id: 26,
  downstream_transport_failure_reason: 28,
  downstream_wire_bytes_sent: 29,
  downstream_wire_bytes_received: 30,
  access_log_type: 33,
} as const;

export const httpRequestProperties = {
  request_method: 1,
  scheme: 2,
  authority: 3,
  path: 5,
  user_agent: 6,
  referer: 7,
  forwarded_for: 8,
  request_id: 9,
  original_path: 10,
  request_headers_bytes: 11,
  request_body_bytes: 12,
  request_headers: 13,
} as const;

export const httpResponseProperties = {
  response_code: 1,
  response_headers_bytes: 2,
  response_body_bytes: 3,
  response_headers: 4,
  response_trailers: 5,
  response_code_details: 6,
} as const;

export const tlsProperties = {
  tls_version: 1,
  tls_sni_hostname: 3,
  peer_certificate_properties: 5,
  ja3_fingerprint: 7,
} as const;
export const certificateProperties = { subject_alt_name: 1, subject: 2, issuer: 3 } as const;
export const subjectAltName = { uri: 1, dns: 2 } as const;

export const address = { socket_address: 1 } as const;
export const socketAddress = { address: 2, port_value: 3 } as const;

/** google.protobuf.*, and the synthetic message of a map's entry. */
export const metadata = { filter_metadata: 1, typed_filter_metadata: 2 } as const;
export const struct = { fields: 1 } as const;
export const structValue = { number_value: 2, string_value: 3, struct_value: 5, list_value: 6 } as const;
export const listValue = { values: 1 } as const;
export const any = { type_url: 1, value: 2 } as const;
export const stringValue = { value: 1 } as const;
export const wrappedNumber = { value: 1 } as const;
/** google.protobuf.Duration and Timestamp. */
export const moment = { seconds: 1, nanos: 2 } as const;
export const mapEntry = { key: 1, value: 2 } as const;
