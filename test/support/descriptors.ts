import { readFileSync } from 'node:fs';
import protobuf from 'protobufjs';
import descriptor from 'protobufjs/ext/descriptor.js';

/** What a field is, as the descriptor of its message says. */
export interface DescribedField {
  readonly number: number;
  readonly repeated: boolean;
  /** Full name of the message or enum; empty for scalars. */
  readonly typeName: string;
}

/**
 * The messages that an Envoy binary was built with, read from the file descriptors that lie in it: the exact API of that version.
 * Keys are `full.message.name/field_name`.
 */
export function describedFields(binary: string, wanted: ReadonlySet<string>): Map<string, DescribedField> {
  const fields = new Map<string, DescribedField>();
  for (const file of fileDescriptors(readFileSync(binary), wanted)) {
    for (const message of file.messageType ?? []) collect(message, file.package ?? '', fields);
  }
  return fields;
}

interface MessageDescriptor {
  readonly name: string;
  readonly nestedType?: readonly MessageDescriptor[];
  readonly field?: readonly { name: string; number: number; label: number; typeName?: string }[];
}

interface FileDescriptor {
  readonly package?: string;
  readonly messageType?: readonly MessageDescriptor[];
}

function collect(message: MessageDescriptor, scope: string, into: Map<string, DescribedField>): void {
  const name = `${scope}.${message.name}`;
  for (const field of message.field ?? []) {
    const typeName = (field.typeName ?? '').replace(/^\./, '');
    into.set(`${name}/${field.name}`, { number: field.number, repeated: field.label === 3, typeName });
  }
  for (const nested of message.nestedType ?? []) collect(nested, name, into);
}

/** Serialized FileDescriptorProtos start with field 1, their own name: a tag, a length and a text that ends in `.proto`. */
function* fileDescriptors(binary: Buffer, wanted: ReadonlySet<string>): Generator<FileDescriptor> {
  const type = descriptor.FileDescriptorProto;
  for (const name of wanted) {
    const length = Buffer.byteLength(name);
    const head = Buffer.from([0x0a, ...(length < 0x80 ? [length] : [(length & 0x7f) | 0x80, length >> 7])]);
    const needle = Buffer.concat([head, Buffer.from(name)]);
    for (let at = binary.indexOf(needle); at >= 0; at = binary.indexOf(needle, at + 1)) {
      const end = endOfFile(binary, at);
      const file = type.toObject(type.decode(binary.subarray(at, end))) as FileDescriptor & { messageType?: unknown[] };
      if ((file.messageType?.length ?? 0) > 0) yield file;
    }
  }
}

/** Where the fields of a FileDescriptorProto stop: at the first tag that it cannot have, or at the next file's name. */
function endOfFile(binary: Buffer, start: number): number {
  const delimited = new Set([1, 2, 3, 4, 5, 6, 7, 8, 9, 12]);
  let at = start;
  for (;;) {
    const reader = protobuf.Reader.create(binary.subarray(at, at + 32));
    const tag = reader.uint32();
    const field = tag >>> 3;
    if (at > start && field === 1) return at;
    if ((tag & 7) === 2 && delimited.has(field)) {
      const length = reader.uint32();
      at += reader.pos + length;
    } else if ((tag & 7) === 0 && [10, 11, 14].includes(field)) {
      reader.uint32();
      at += reader.pos;
    } else return at;
  }
}
