import type { FieldReader } from '../../wire/protobuf.ts';
import { bytesField } from '../../wire/protobuf.ts';
import * as fields from './entry-fields.ts';
import { everyValue, standingOn } from './map-entry.ts';
import { redacted } from './redact-text.ts';
import { redactStruct } from './redact-struct.ts';
import type { Redaction } from './redaction.ts';

const urlOf = (type: string): string => `type.googleapis.com/google.protobuf.${type}`;
const redactedAny = Buffer.concat([
  bytesField(fields.any.type_url, urlOf('StringValue')),
  bytesField(fields.any.value, bytesField(fields.stringValue.value, redacted)),
]);

/**
 * The entry of a map<string, Any> that `holder` stands on: filter state, typed metadata. A plain string and a Struct are looked into; a
 * message that only some filter knows is withheld where its key is a secret's name, and else stays.
 */
export function redactAny(holder: FieldReader, place: string, redaction: Redaction): void {
  everyValue(holder, (any, keyFrom, keyTo) => {
    const { rules } = redaction;
    if (rules.isSecretHeader(any.buffer, keyFrom, keyTo)) redaction.withhold(any, place, keyFrom, keyTo, redactedAny);
    else redactContent(any, place, keyFrom, keyTo, redaction);
  });
}

function redactContent(any: FieldReader, place: string, keyFrom: number, keyTo: number, redaction: Redaction): void {
  const type = standingOn(any.message(), fields.any.type_url).at(-1)?.latin1() ?? '';
  for (const value of standingOn(any.message(), fields.any.value)) {
    if (type.endsWith('/google.protobuf.Struct')) {
      redactStruct(value.message(), `${place}.${any.buffer.toString('latin1', keyFrom, keyTo)}`, redaction);
    } else if (type.endsWith('/google.protobuf.StringValue')) {
      const text = value.message();
      while (text.next()) if (text.is(fields.stringValue.value)) redaction.text(text, place, keyFrom, keyTo);
    }
  }
}
