import { SekishoError } from '../../base/errors.ts';
import type { FieldReader } from '../../wire/protobuf.ts';
import { wireTypes } from '../../wire/protobuf.ts';
import { anyValue, arrayValue, keyValue, logRecord } from '../../wire/otlp-logs.ts';
import { httpReceipt, receiptLayouts, tcpReceipt } from '../../wire/receipt-layout.ts';
import type { EntryType } from '../record/redact.ts';

/** A stretch of the message. */
export interface Stretch {
  readonly from: number;
  readonly to: number;
}

/** A log record of OTLP that one of our loggers wrote: its texts by their place in the layout, its custom tags, and when the request began. */
export interface ReceiptRecord {
  readonly message: Buffer;
  readonly type: EntryType;
  readonly seconds: number;
  readonly nanos: number;
  readonly texts: readonly Stretch[];
  /** Key and value by turns. */
  readonly tags: readonly Stretch[];
}

/** Reads the record that `holder` stands on. Throws SekishoError `record_malformed` for what none of our loggers writes. */
export function receiptRecord(holder: FieldReader): ReceiptRecord {
  const texts: Stretch[] = [];
  const tags: Stretch[] = [];
  let time = 0n;
  const part = holder.message();
  while (part.next()) {
    if (part.is(logRecord.body)) readBody(part.message(), texts);
    else if (part.is(logRecord.attributes)) readTag(part.message(), tags);
    else if (part.field === logRecord.time_unix_nano && part.wire === wireTypes.fixed64) {
      time = part.buffer.readBigUInt64LE(part.from);
    }
  }
  const message = holder.buffer;
  const [seconds, nanos] = [Number(time / second), Number(time % second)];
  return { message, type: typeOf(message, texts), seconds, nanos, texts, tags };
}

const second = 1_000_000_000n;

function readBody(body: FieldReader, texts: Stretch[]): void {
  while (body.next()) {
    if (!body.is(anyValue.array_value)) continue;
    const array = body.message();
    while (array.next()) if (array.is(arrayValue.values)) texts.push(textOf(array.message()));
  }
}

function readTag(attribute: FieldReader, tags: Stretch[]): void {
  let key: Stretch = nothing;
  let value: Stretch = nothing;
  while (attribute.next()) {
    if (attribute.is(keyValue.key)) key = { from: attribute.from, to: attribute.to };
    else if (attribute.is(keyValue.value)) value = textOf(attribute.message());
  }
  tags.push(key, value);
}

const nothing: Stretch = { from: 0, to: 0 };

function textOf(value: FieldReader): Stretch {
  let text = nothing;
  while (value.next()) if (value.is(anyValue.string_value)) text = { from: value.from, to: value.to };
  return text;
}

function typeOf(message: Buffer, texts: readonly Stretch[]): EntryType {
  const [layout = nothing] = texts;
  const name = layout.to - layout.from > 16 ? '' : message.toString('latin1', layout.from, layout.to);
  if (name === receiptLayouts.http && texts.length === httpReceipt.length) return 'http';
  if (name === receiptLayouts.tcp && texts.length === tcpReceipt.length) return 'tcp';
  throw new SekishoError(
    'record_malformed',
    'A log record that came by OTLP is not one of those that the loggers of Sekisho write. Only the Envoys of the fleet may send logs here.',
  );
}
