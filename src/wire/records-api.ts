import { SekishoError } from '../base/errors.ts';
import { FieldReader, bytesField, uintField, varintSize, writeVarint } from './protobuf.ts';
import { rawMethod, type RawMethod } from './raw-method.ts';

/**
 * The messages of proto/sekisho/v1/records.proto. Written out by hand, because a tail is a hot path and because a client of it shall not have to
 * load Envoy's API; a test compares them with the .proto file.
 */
export const recordForms = ['json', 'payload', 'both'] as const;
export type RecordForm = (typeof recordForms)[number];

export const filterNames = ['since', 'until', 'user', 'host', 'client', 'status', 'kind'] as const;
export type FilterWords = Partial<Record<(typeof filterNames)[number], string | undefined>>;

export interface QueryRequest {
  readonly filter: FilterWords;
  readonly form: RecordForm;
  readonly from: number;
  /** 0: no such bound. */
  readonly to: number;
  /** 0: no such bound. */
  readonly limit: number;
}

export interface TailRequest {
  readonly filter: FilterWords;
  readonly form: RecordForm;
  /** undefined: from now on. */
  readonly from: number | undefined;
}

export interface RecordsItem {
  readonly index: number;
  readonly payload?: Buffer;
  readonly json?: string;
  readonly error?: { readonly code: string; readonly message: string; readonly lost: number };
}

export interface RecordsResponse {
  readonly items: readonly RecordsItem[];
  readonly next: number;
}

/** sekisho.v1.Records with no (de)serialisation; the shape is that of a `ServiceDefinition` of grpc-js. */
export const recordsService = { Query: method('Query'), Tail: method('Tail') } as const;

function method(name: string): RawMethod {
  return rawMethod(`/sekisho.v1.Records/${name}`, { requestStream: false, responseStream: true });
}

export function encodeQueryRequest({ filter, form, from, to, limit }: QueryRequest): Buffer {
  return Buffer.concat([...head(filter, form), uintField(3, from), uintField(4, to), uintField(5, limit)]);
}

/** Throws request_malformed, as does `decodeTailRequest`. */
export function decodeQueryRequest(bytes: Buffer): QueryRequest {
  const read = readRequest(bytes);
  return { ...read, from: read.from ?? 0 };
}

export function encodeTailRequest({ filter, form, from }: TailRequest): Buffer {
  // Presence counts: 0 is the oldest record.
  return Buffer.concat([...head(filter, form), from === 0 ? Buffer.from([3 * 8, 0]) : uintField(3, from ?? 0)]);
}

export function decodeTailRequest(bytes: Buffer): TailRequest {
  const { filter, form, from } = readRequest(bytes);
  return { filter, form, from };
}

function head(filter: FilterWords, form: RecordForm): Buffer[] {
  const words = filterNames.map((name, at) => {
    const text = filter[name] ?? '';
    return text === '' ? Buffer.alloc(0) : bytesField(at + 1, text);
  });
  return [bytesField(1, Buffer.concat(words)), uintField(2, recordForms.indexOf(form) + 1)];
}

function readRequest(bytes: Buffer) {
  try {
    const read = { filter: {} as FilterWords, form: 0, from: undefined as number | undefined, to: 0, limit: 0 };
    const request = new FieldReader(bytes);
    while (request.next()) {
      if (request.is(1)) Object.assign(read.filter, readFilter(request.message()));
      else if (request.field === 2) read.form = request.uint();
      else if (request.field === 3) read.from = request.uint();
      else if (request.field === 4) read.to = request.uint();
      else if (request.field === 5) read.limit = request.uint();
    }
    const form = recordForms[Math.max(read.form, 1) - 1];
    if (form !== undefined) return { ...read, form };
  } catch {
    // Said below.
  }
  throw new SekishoError('request_malformed', 'This is no request of sekisho.v1.Records as this version knows it.');
}

function readFilter(reader: FieldReader): FilterWords {
  const filter: FilterWords = {};
  while (reader.next()) {
    const name = filterNames[reader.field - 1];
    if (name !== undefined && reader.string() !== '') filter[name] = reader.string();
  }
  return filter;
}

const itemTag = 1 * 8 + 2;

/** One piece of memory for all of it, as responses are made by the hundred thousand records. */
export function encodeRecordsResponse({ items, next }: RecordsResponse): Buffer {
  const parts = items.map(partsOf);
  const sizes = parts.map((part) => part.reduce((sum, { length }) => sum + length, 0));
  const tail = uintField(2, next);
  const total = sizes.reduce((sum, size) => sum + 1 + varintSize(size) + size, tail.length);
  const bytes = Buffer.allocUnsafe(total);
  let at = 0;
  parts.forEach((part, n) => {
    bytes[at] = itemTag;
    at = writeVarint(bytes, sizes[n] ?? 0, at + 1);
    for (const piece of part) at += piece.copy(bytes, at);
  });
  tail.copy(bytes, at);
  return bytes;
}

/** The payload stays where it is until it is copied into the response. */
function partsOf({ index, payload, json, error }: RecordsItem): Buffer[] {
  const parts = [uintField(1, index)];
  if (payload !== undefined) parts.push(lengthOf(2, payload.length), payload);
  if (json !== undefined) parts.push(bytesField(3, json));
  if (error !== undefined) {
    const { code, message, lost } = error;
    parts.push(bytesField(4, Buffer.concat([bytesField(1, code), bytesField(2, message), uintField(3, lost)])));
  }
  return parts;
}

function lengthOf(field: number, length: number): Buffer {
  const bytes = Buffer.allocUnsafe(1 + varintSize(length));
  bytes[0] = field * 8 + 2;
  writeVarint(bytes, length, 1);
  return bytes;
}

/** Payloads are views of `bytes`. Throws record_malformed. */
export function decodeRecordsResponse(bytes: Buffer): RecordsResponse {
  const items: RecordsItem[] = [];
  let next = 0;
  const response = new FieldReader(bytes);
  while (response.next()) {
    if (response.is(1)) items.push(readItem(response.message()));
    else if (response.field === 2) next = response.uint();
  }
  return { items, next };
}

function readItem(reader: FieldReader): RecordsItem {
  const item: { -readonly [K in keyof RecordsItem]: RecordsItem[K] } = { index: 0 };
  while (reader.next()) {
    if (reader.field === 1) item.index = reader.uint();
    else if (reader.is(2)) item.payload = reader.bytes();
    else if (reader.is(3)) item.json = reader.string();
    else if (reader.is(4)) item.error = readError(reader.message());
  }
  return item;
}

function readError(reader: FieldReader): NonNullable<RecordsItem['error']> {
  const error = { code: '', message: '', lost: 0 };
  while (reader.next()) {
    if (reader.is(1)) error.code = reader.string();
    else if (reader.is(2)) error.message = reader.string();
    else if (reader.field === 3) error.lost = reader.uint();
  }
  return error;
}
