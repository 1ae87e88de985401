import protobuf from 'protobufjs';
import { recordEncoder, writeRecord, type RecordOrigin } from '../../../src/sink/record/envelope.ts';
import { envoyApi } from '../../../src/wire/envoy-api.ts';

/** Encodes a message of Envoy's API from plain ProtoJSON-like fields (snake case), independently of the code under test. */
export function encode(type: string, fields: object): Buffer {
  const message = envoyApi().lookupType(type);
  return Buffer.from(message.encode(message.fromObject(fields)).finish());
}

/** Decodes a message of Envoy's API with protobufjs, as plain fields. */
export function decode(type: string, bytes: Buffer): Record<string, unknown> {
  const message = envoyApi().lookupType(type);
  return message.toObject(message.decode(bytes), { longs: String, enums: String, arrays: false, objects: false });
}

export const httpEntryType = 'envoy.data.accesslog.v3.HTTPAccessLogEntry';
export const tcpEntryType = 'envoy.data.accesslog.v3.TCPAccessLogEntry';

export function httpEntry(fields: object): Buffer {
  return encode(httpEntryType, fields);
}

export function tcpEntry(fields: object): Buffer {
  return encode(tcpEntryType, fields);
}

/** A StreamAccessLogsMessage around ready-made entries. */
export function alsMessage(options: {
  readonly identifier?: object;
  readonly http?: readonly Buffer[];
  readonly tcp?: readonly Buffer[];
}): Buffer {
  const writer = protobuf.Writer.create();
  if (options.identifier !== undefined) {
    writer
      .uint32(0x0a)
      .bytes(encode('envoy.service.accesslog.v3.StreamAccessLogsMessage.Identifier', options.identifier));
  }
  for (const [tag, entries] of [
    [0x12, options.http],
    [0x1a, options.tcp],
  ] as const) {
    if (entries === undefined) continue;
    writer.uint32(tag).fork();
    for (const entry of entries) writer.uint32(0x0a).bytes(entry);
    writer.ldelim();
  }
  return Buffer.from(writer.finish());
}

/** An HTTP entry as a forward door's inner listener sends it (measured on Envoy 1.40): about 690 bytes. */
export function consoleRequest(request: object = {}, common: object = {}, response: object = {}): object {
  return {
    common_properties: {
      downstream_remote_address: { socket_address: { address: '127.0.0.7', port_value: 45388 } },
      downstream_local_address: {
        envoy_internal_address: { server_listener_name: 'office.inside', endpoint_id: 'office' },
      },
      tls_properties: {
        tls_version: 'TLSv1_3',
        tls_cipher_suite: { value: 4866 },
        tls_sni_hostname: 'us-east-1.console.aws.amazon.com',
        local_certificate_properties: { subject: 'CN=*.console.aws.amazon.com,O=Example' },
      },
      start_time: { seconds: 1795442040, nanos: 554662000 },
      time_to_last_rx_byte: { nanos: 1000 },
      upstream_remote_address: { socket_address: { address: '127.61.0.2', port_value: 443 } },
      upstream_cluster: 'aws',
      metadata: {
        filter_metadata: {
          sekisho: {
            fields: { arn: { stringValue: 'arn%3Aaws%3Asts%3A%3A123456789012%3Aassumed-role%2FAdmin%2Ftaro' } },
          },
        },
      },
      downstream_direct_remote_address: { envoy_internal_address: { server_listener_name: 'internal_client_address' } },
      custom_tags: {
        client: '127.0.0.7:45388',
        tunnel: '5e4b060c-be01-40ae-8f7b-a1e18d0f6888',
        user: 'CN=taro.yamada,O=Example',
        id: '0c8cfba2-5ac9-9d4a-8a52-1c24ae4e2d1a',
        arn: 'arn%3Aaws%3Asts%3A%3A123456789012%3Aassumed-role%2FAdmin%2Ftaro',
      },
      duration: { nanos: 23538508 },
      stream_id: '0c8cfba2-5ac9-9d4a-8a52-1c24ae4e2d1a',
      upstream_request_attempt_count: 1,
      downstream_wire_bytes_sent: 734,
      downstream_wire_bytes_received: 194,
      access_log_type: 'DownstreamEnd',
      ...common,
    },
    protocol_version: 'HTTP2',
    request: {
      request_method: 'GET',
      scheme: 'https',
      authority: 'us-east-1.console.aws.amazon.com',
      path: '/ec2/home?region=us-east-1',
      user_agent:
        'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36',
      request_id: '0c8cfba2-5ac9-9d4a-8a52-1c24ae4e2d1a',
      request_headers_bytes: 311,
      ...request,
    },
    response: {
      response_code: { value: 200 },
      response_headers_bytes: 270,
      response_body_bytes: 524,
      response_headers: { 'content-type': 'application/json', 'x-amzn-requestid': 'aws-79f3db28-1111-2222' },
      response_code_details: 'via_upstream',
      ...response,
    },
  };
}

/** A record encoder that gives the bytes of a record at once. */
export function recordBytes(origin: RecordOrigin): {
  encode(received: number, marks: readonly string[], entry: Buffer): Buffer;
} {
  const encoder = recordEncoder(origin);
  return {
    encode: (received, marks, entry) => {
      const record = encoder.encode(received, marks, entry);
      const bytes = Buffer.alloc(record.length);
      writeRecord(record, bytes, 0);
      return bytes;
    },
  };
}
