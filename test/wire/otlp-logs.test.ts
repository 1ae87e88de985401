import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as otlp from '../../src/wire/otlp-logs.ts';
import { describedFields } from '../support/descriptors.ts';
import { findEnvoy } from '../support/envoy.ts';

const root = 'opentelemetry.proto';

/** Each table of otlp-logs.ts and its message. */
const tables: Readonly<Record<Exclude<keyof typeof otlp, 'logsService'>, string>> = {
  exportLogsServiceRequest: `${root}.collector.logs.v1.ExportLogsServiceRequest`,
  resourceLogs: `${root}.logs.v1.ResourceLogs`,
  resource: `${root}.resource.v1.Resource`,
  scopeLogs: `${root}.logs.v1.ScopeLogs`,
  logRecord: `${root}.logs.v1.LogRecord`,
  keyValue: `${root}.common.v1.KeyValue`,
  anyValue: `${root}.common.v1.AnyValue`,
  arrayValue: `${root}.common.v1.ArrayValue`,
};
const files = new Set([
  'opentelemetry/proto/collector/logs/v1/logs_service.proto',
  'opentelemetry/proto/logs/v1/logs.proto',
  'opentelemetry/proto/common/v1/common.proto',
  'opentelemetry/proto/resource/v1/resource.proto',
]);

test('the fields of OTLP have the numbers that the descriptors inside the real Envoy say', async () => {
  const described = describedFields((await findEnvoy()).path, files);
  for (const [table, message] of Object.entries(tables)) {
    for (const [field, number] of Object.entries(otlp[table as keyof typeof tables])) {
      assert.equal(described.get(`${message}/${field}`)?.number, number, `${message}.${field}`);
    }
  }
});
