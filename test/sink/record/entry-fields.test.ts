import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fields from '../../../src/sink/record/entry-fields.ts';
import { envoyApi } from '../../../src/wire/envoy-api.ts';

const accesslog = 'envoy.data.accesslog.v3';

/** Each table of entry-fields.ts and the messages that it speaks of. */
const tables: Readonly<Record<keyof typeof fields, readonly string[]>> = {
  streamAccessLogsMessage: ['envoy.service.accesslog.v3.StreamAccessLogsMessage'],
  streamIdentifier: ['envoy.service.accesslog.v3.StreamAccessLogsMessage.Identifier'],
  logEntries: [
    'envoy.service.accesslog.v3.StreamAccessLogsMessage.HTTPAccessLogEntries',
    'envoy.service.accesslog.v3.StreamAccessLogsMessage.TCPAccessLogEntries',
  ],
  node: ['envoy.config.core.v3.Node'],
  httpAccessLogEntry: [`${accesslog}.HTTPAccessLogEntry`],
  tcpAccessLogEntry: [`${accesslog}.TCPAccessLogEntry`],
  connectionProperties: [`${accesslog}.ConnectionProperties`],
  accessLogCommon: [`${accesslog}.AccessLogCommon`],
  httpRequestProperties: [`${accesslog}.HTTPRequestProperties`],
  httpResponseProperties: [`${accesslog}.HTTPResponseProperties`],
  tlsProperties: [`${accesslog}.TLSProperties`],
  certificateProperties: [`${accesslog}.TLSProperties.CertificateProperties`],
  subjectAltName: [`${accesslog}.TLSProperties.CertificateProperties.SubjectAltName`],
  address: ['envoy.config.core.v3.Address'],
  socketAddress: ['envoy.config.core.v3.SocketAddress'],
  metadata: ['envoy.config.core.v3.Metadata'],
  struct: ['google.protobuf.Struct'],
  structValue: ['google.protobuf.Value'],
  listValue: ['google.protobuf.ListValue'],
  any: ['google.protobuf.Any'],
  stringValue: ['google.protobuf.StringValue'],
  wrappedNumber: ['google.protobuf.UInt32Value'],
  moment: ['google.protobuf.Timestamp', 'google.protobuf.Duration'],
  mapEntry: [], // The encoding of maps, https://protobuf.dev/programming-guides/proto3/#backwards.
};

/** protobufjs names the well-known types of its own in camel case. */
const camel = (name: string): string => name.replaceAll(/_(\w)/g, (_, char: string) => char.toUpperCase());

for (const [table, messages] of Object.entries(tables)) {
  for (const message of messages) {
    test(`the numbers of ${table} are those of ${message}`, () => {
      const type = envoyApi().lookupType(message);
      for (const [name, number] of Object.entries(fields[table as keyof typeof fields])) {
        assert.equal((type.fields[name] ?? type.fields[camel(name)])?.id, number, name);
      }
    });
  }
}

test('a map has its key in field 1 and its value in field 2', () => {
  const type = envoyApi().lookupType(`${accesslog}.AccessLogCommon`);
  const bytes = Buffer.from(type.encode(type.fromObject({ custom_tags: { k: 'v' } })).finish());
  const { key, value } = fields.mapEntry;
  const entry = Buffer.from([(key << 3) | 2, 1, 0x6b, (value << 3) | 2, 1, 0x76]);
  assert.ok(bytes.includes(entry));
});
