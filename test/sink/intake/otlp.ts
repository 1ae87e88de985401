import protobuf from 'protobufjs';
import { httpNumbers, httpReceipt, tcpNumbers, tcpReceipt } from '../../../src/wire/receipt-layout.ts';

/** A log record as Envoy's OTLP logger writes it: its texts by name, `-` where none is given, and custom tags. */
export interface LogRecord {
  readonly layout: 'http' | 'tcp';
  /** Nanoseconds since 1970. */
  readonly time: bigint;
  readonly texts: Readonly<Record<string, string | Buffer>>;
  readonly numbers?: Readonly<Record<string, number>>;
  readonly tags?: Readonly<Record<string, string>>;
}

/** An ExportLogsServiceRequest, written independently of the code under test. */
export function otlpMessage(options: {
  readonly node?: string;
  readonly log?: string;
  readonly records: readonly (LogRecord | Buffer)[];
}): Buffer {
  const { node = 'egress-1', log = 'office/http', records } = options;
  const writer = protobuf.Writer.create();
  writer.uint32(0x0a).fork();
  writer.uint32(0x0a).fork();
  attribute(writer, 0x0a, 'zone_name', '');
  attribute(writer, 0x0a, 'node_name', node);
  attribute(writer, 0x0a, 'log_name', log);
  writer.ldelim();
  writer.uint32(0x12).fork();
  for (const record of records) {
    writer.uint32(0x12);
    if (record instanceof Uint8Array) writer.bytes(record);
    else writeRecord(writer, record);
  }
  writer.ldelim().ldelim();
  return Buffer.from(writer.finish());
}

function writeRecord(writer: protobuf.Writer, { layout, time, texts, numbers = {}, tags = {} }: LogRecord): void {
  const list: readonly string[] = layout === 'http' ? httpReceipt : tcpReceipt;
  const values: Readonly<Record<string, string | Buffer>> = {
    layout: `${layout}/1`,
    numbers: (layout === 'http' ? httpNumbers : tcpNumbers).map((name) => numbers[name] ?? 0).join(' '),
    words: '- - -',
    duration: '- 0',
    ...texts,
  };
  writer.fork();
  writer.uint32(0x09).fixed64(time.toString());
  writer.uint32(0x2a).fork().uint32(0x2a).fork();
  for (const name of list) any(writer, 0x0a, values[name] ?? '-');
  writer.ldelim().ldelim();
  for (const [key, value] of Object.entries(tags)) attribute(writer, 0x32, key, value);
  writer.ldelim();
}

function attribute(writer: protobuf.Writer, tag: number, key: string, value: string): void {
  writer.uint32(tag).fork().uint32(0x0a).string(key);
  any(writer, 0x12, value);
  writer.ldelim();
}

function any(writer: protobuf.Writer, tag: number, value: string | Buffer): void {
  writer.uint32(tag).fork().uint32(0x0a);
  if (typeof value === 'string') writer.string(value);
  else writer.bytes(value);
  writer.ldelim();
}
