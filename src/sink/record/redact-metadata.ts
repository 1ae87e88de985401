import type { FieldReader } from '../../wire/protobuf.ts';
import * as fields from './entry-fields.ts';
import { isClaimedArn } from './claimed-arn.ts';
import { everyValue, spells } from './map-entry.ts';
import { redactAny } from './redact-any.ts';
import { redactStruct, redactValue } from './redact-struct.ts';
import type { Redaction } from './redaction.ts';

/** The namespace into which our own filters write. */
const ownNamespace = Buffer.from('sekisho');
const arnKey = Buffer.from('arn');

/** Dynamic metadata: our own claimed ARN is checked; in what other filters wrote, keys and texts are looked at like headers. */
export function redactMetadata(metadata: FieldReader, redaction: Redaction): void {
  while (metadata.next()) {
    if (metadata.is(fields.metadata.typed_filter_metadata)) redactAny(metadata, 'metadata', redaction);
    if (!metadata.is(fields.metadata.filter_metadata)) continue;
    everyValue(metadata, (struct, keyFrom, keyTo) => {
      if (spells(struct.buffer, keyFrom, keyTo, ownNamespace)) redactOwn(struct.message(), redaction);
      else redactStruct(struct.message(), `metadata.${struct.buffer.toString('latin1', keyFrom, keyTo)}`, redaction);
    });
  }
}

function redactOwn(struct: FieldReader, redaction: Redaction): void {
  while (struct.next()) {
    if (!struct.is(fields.struct.fields)) continue;
    const kept = everyValue(struct, (value, keyFrom, keyTo) => {
      if (spells(value.buffer, keyFrom, keyTo, arnKey)) return isArnValue(value);
      redactValue(value.message(), 'metadata.sekisho', keyFrom, keyTo, redaction);
      return true;
    });
    if (!kept) redaction.remove(struct, 'metadata.sekisho', 'arn');
  }
}

function isArnValue(value: FieldReader): boolean {
  const part = value.message();
  while (part.next()) {
    if (!part.is(fields.structValue.string_value) || !isClaimedArn(part.buffer, part.from, part.to)) return false;
  }
  return true;
}
