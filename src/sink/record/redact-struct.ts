import type { FieldReader } from '../../wire/protobuf.ts';
import { bytesField } from '../../wire/protobuf.ts';
import * as fields from './entry-fields.ts';
import { everyValue, standingOn } from './map-entry.ts';
import { redacted } from './redact-text.ts';
import type { Redaction } from './redaction.ts';

const deepest = 32;
const redactedValue = bytesField(fields.structValue.string_value, redacted);

/** A google.protobuf.Struct: its keys are looked at like names of headers and parameters, its texts like URLs. */
export function redactStruct(struct: FieldReader, place: string, redaction: Redaction, depth = 0): void {
  while (struct.next()) {
    if (!struct.is(fields.struct.fields)) continue;
    everyValue(struct, (value, keyFrom, keyTo) => {
      const { rules } = redaction;
      const named =
        rules.isSecretHeader(value.buffer, keyFrom, keyTo) || rules.isSecretParameter(value.buffer, keyFrom, keyTo);
      if (named || depth > deepest) redaction.withhold(value, place, keyFrom, keyTo, redactedValue);
      else redactValue(value.message(), place, keyFrom, keyTo, redaction, depth);
    });
  }
}

/** A google.protobuf.Value under a key that is not secret. */
export function redactValue(
  value: FieldReader,
  place: string,
  keyFrom: number,
  keyTo: number,
  redaction: Redaction,
  depth = 0,
): void {
  while (value.next()) {
    if (value.is(fields.structValue.string_value)) redaction.text(value, place, keyFrom, keyTo);
    else if (value.is(fields.structValue.struct_value)) {
      redactStruct(value.message(), `${place}.${nameAt(value, keyFrom, keyTo)}`, redaction, depth + 1);
    } else if (value.is(fields.structValue.list_value)) {
      for (const each of standingOn(value.message(), fields.listValue.values)) {
        if (depth > deepest) redaction.withhold(each, place, keyFrom, keyTo, redactedValue);
        else redactValue(each.message(), place, keyFrom, keyTo, redaction, depth + 1);
      }
    }
  }
}

function nameAt(reader: FieldReader, from: number, to: number): string {
  return reader.buffer.toString('latin1', from, to);
}
