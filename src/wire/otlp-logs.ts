import { rawMethod, type RawMethod } from './raw-method.ts';

/**
 * Field numbers of OpenTelemetry's protocol for logs, as far as Sekisho reads them; a test compares them with those of Envoy's binary.
 * https://github.com/open-telemetry/opentelemetry-proto (v1): collector/logs, logs, common, resource.
 */
export const exportLogsServiceRequest = { resource_logs: 1 } as const;
export const resourceLogs = { resource: 1, scope_logs: 2 } as const;
export const resource = { attributes: 1 } as const;
export const scopeLogs = { log_records: 2 } as const;
export const logRecord = { time_unix_nano: 1, body: 5, attributes: 6 } as const;
export const keyValue = { key: 1, value: 2 } as const;
export const anyValue = { string_value: 1, array_value: 5 } as const;
export const arrayValue = { values: 1 } as const;

/** opentelemetry.proto.collector.logs.v1.LogsService, in the shape of a `ServiceDefinition` of grpc-js; messages stay bytes. */
export const logsService: { readonly Export: RawMethod } = {
  Export: rawMethod('/opentelemetry.proto.collector.logs.v1.LogsService/Export', {
    requestStream: false,
    responseStream: false,
  }),
};
