import { NameGatherer, type NameList } from './name-list.ts';
import { readingRequest, readNode, readStatus, type NodeInfo, type Refusal } from './node-info.ts';
import { bytesField, FieldReader } from './protobuf.ts';

/** What a DeltaDiscoveryRequest says. */
export interface DeltaRequest {
  readonly node?: NodeInfo | undefined;
  /** Empty where the service implies it. */
  readonly typeUrl: string;
  readonly subscribe: NameList;
  readonly unsubscribe: NameList;
  /** Name → version of what the client still holds from an earlier stream. */
  readonly initialVersions: ReadonlyMap<string, string>;
  /** The response that this request answers; empty in a request that only changes the subscription. */
  readonly nonce: string;
  /** Set when that response was refused. */
  readonly error?: Refusal | undefined;
}

const noVersions: ReadonlyMap<string, string> = new Map();

/**
 * Reads a DeltaDiscoveryRequest; the field numbers are those of envoy/service/discovery/v3/discovery.proto, others are skipped.
 * Throws `request_malformed` when the bytes are no such message.
 */
export function decodeDeltaRequest(bytes: Buffer): DeltaRequest {
  return readingRequest(() => {
    const reader = new FieldReader(bytes);
    const subscribe = new NameGatherer();
    const unsubscribe = new NameGatherer();
    let initialVersions: Map<string, string> | undefined;
    let node: NodeInfo | undefined;
    let error: Refusal | undefined;
    let typeUrl = '';
    let nonce = '';
    while (reader.next()) {
      if (reader.is(1)) node = readNode(reader.message());
      else if (reader.is(2)) typeUrl = reader.string();
      else if (reader.is(3)) subscribe.take(reader);
      else if (reader.is(4)) unsubscribe.take(reader);
      else if (reader.is(5)) (initialVersions ??= new Map()).set(...readMapEntry(reader.message()));
      else if (reader.is(6)) nonce = reader.string();
      else if (reader.is(7)) error = readStatus(reader.message());
    }
    return {
      node,
      typeUrl,
      subscribe: subscribe.finish(),
      unsubscribe: unsubscribe.finish(),
      initialVersions: initialVersions ?? noVersions,
      nonce,
      error,
    };
  });
}

function readMapEntry(reader: FieldReader): [key: string, value: string] {
  let key = '';
  let value = '';
  while (reader.next()) {
    if (reader.is(1)) key = reader.string();
    else if (reader.is(2)) value = reader.string();
  }
  return [key, value];
}

/** A Resource of a DeltaDiscoveryResponse, as the field that it is there. `bytes` is a serialized `google.protobuf.Any`. */
export function encodeResourceField(resource: {
  readonly name: string;
  readonly version: string;
  readonly bytes: Buffer;
}): Buffer {
  return bytesField(
    2,
    Buffer.concat([
      ...stringField(1, resource.version),
      bytesField(2, resource.bytes),
      ...stringField(3, resource.name),
    ]),
  );
}

/** What a DeltaDiscoveryResponse says; `resources` are made by `encodeResourceField`. */
export interface DeltaResponse {
  readonly systemVersion: string;
  readonly resources: readonly Buffer[];
  readonly typeUrl: string;
  readonly removed: readonly string[];
  readonly nonce: string;
}

/** Writes a DeltaDiscoveryResponse. */
export function encodeDeltaResponse(response: DeltaResponse): Buffer {
  return Buffer.concat([
    ...stringField(1, response.systemVersion),
    ...response.resources,
    ...stringField(4, response.typeUrl),
    ...response.removed.map((name) => bytesField(6, name)),
    ...stringField(5, response.nonce),
  ]);
}

function stringField(field: number, value: string): Buffer[] {
  return value === '' ? [] : [bytesField(field, value)];
}
