/**
 * Fields of Envoy 1.40 that the shipped .proto files (about v1.33) do not have yet and Sekisho sets. An encoder that does not
 * know a field may drop it in silence, so each one is written here by name and number, and a test compares the table with the
 * descriptors inside the real Envoy binary.
 * A message that is not shipped at all exists once a row names it.
 */
export interface NewerField {
  /** Full name of the message. */
  readonly message: string;
  readonly field: string;
  readonly number: number;
  /** A scalar type of proto3 or the full name of a message. */
  readonly type: string;
  readonly repeated?: true;
  /** Full name of the enum whose numbers the field takes. */
  readonly enumName?: string;
}

const tcpProxy = 'envoy.extensions.filters.network.tcp_proxy.v3';
const headerMutation = 'envoy.config.common.mutation_rules.v3.HeaderMutation';
const openTelemetryLog = 'envoy.extensions.access_loggers.open_telemetry.v3.OpenTelemetryAccessLogConfig';
const addressMatcher = 'envoy.type.matcher.v3.AddressMatcher';

export const newerFields: readonly NewerField[] = [
  // Envoy 1.39: which resolved addresses may be dialled.
  { message: addressMatcher, field: 'ranges', number: 1, type: 'xds.core.v3.CidrRange', repeated: true },
  { message: addressMatcher, field: 'invert_match', number: 2, type: 'bool' },
  {
    message: 'envoy.extensions.common.dynamic_forward_proxy.v3.DnsCacheConfig',
    field: 'resolved_address_filter',
    number: 16,
    type: addressMatcher,
  },
  // Headers removed by a rule on their names instead of one by one.
  {
    message: `${headerMutation}.RemoveOnMatch`,
    field: 'key_matcher',
    number: 1,
    type: 'envoy.type.matcher.v3.StringMatcher',
  },
  { message: headerMutation, field: 'remove_on_match', number: 3, type: `${headerMutation}.RemoveOnMatch` },
  // When tcp_proxy dials.
  {
    message: `${tcpProxy}.TcpProxy`,
    field: 'upstream_connect_mode',
    number: 21,
    type: 'uint32',
    enumName: `${tcpProxy}.UpstreamConnectMode`,
  },
  { message: `${tcpProxy}.TcpProxy`, field: 'max_early_data_bytes', number: 22, type: 'google.protobuf.UInt32Value' },
  // The OTLP access logger without the settings of the other one.
  { message: openTelemetryLog, field: 'grpc_service', number: 9, type: 'envoy.config.core.v3.GrpcService' },
  { message: openTelemetryLog, field: 'log_name', number: 10, type: 'string' },
  {
    message: openTelemetryLog,
    field: 'custom_tags',
    number: 14,
    type: 'envoy.type.tracing.v3.CustomTag',
    repeated: true,
  },
  // A custom tag made from a format string.
  { message: 'envoy.type.tracing.v3.CustomTag', field: 'value', number: 6, type: 'string' },
];
