import { NameGatherer, type NameList } from './name-list.ts';
import { readingRequest, readNode, readStatus, type NodeInfo, type Refusal } from './node-info.ts';
import { bytesField, FieldReader } from './protobuf.ts';

/** What a DiscoveryRequest says. */
export interface SotwRequest {
  readonly node?: NodeInfo | undefined;
  /** Empty where the service implies it. */
  readonly typeUrl: string;
  /** All that the client asks for from now on, not only what is new. */
  readonly names: NameList;
  /** `version_info` of the last response that the client took in, be it on an earlier stream. */
  readonly version: string;
  /** The response that this request answers. */
  readonly nonce: string;
  /** Set when that response was refused. */
  readonly error?: Refusal | undefined;
}

/**
 * Reads a DiscoveryRequest; the field numbers are those of envoy/service/discovery/v3/discovery.proto, others are skipped.
 * Throws `request_malformed` when the bytes are no such message.
 */
export function decodeSotwRequest(bytes: Buffer): SotwRequest {
  return readingRequest(() => {
    const reader = new FieldReader(bytes);
    const names = new NameGatherer();
    let node: NodeInfo | undefined;
    let error: Refusal | undefined;
    let typeUrl = '';
    let version = '';
    let nonce = '';
    while (reader.next()) {
      if (reader.is(1)) version = reader.string();
      else if (reader.is(2)) node = readNode(reader.message());
      else if (reader.is(3)) names.take(reader);
      else if (reader.is(4)) typeUrl = reader.string();
      else if (reader.is(5)) nonce = reader.string();
      else if (reader.is(6)) error = readStatus(reader.message());
    }
    return { node, typeUrl, names: names.finish(), version, nonce, ...(error && { error }) };
  });
}

/** What a DiscoveryResponse says; each of `resources` is a serialized `google.protobuf.Any`. */
export interface SotwResponse {
  readonly version: string;
  readonly resources: readonly Buffer[];
  readonly typeUrl: string;
  readonly nonce: string;
}

/** Writes a DiscoveryResponse. */
export function encodeSotwResponse({ version, resources, typeUrl, nonce }: SotwResponse): Buffer {
  return Buffer.concat([
    ...(version === '' ? [] : [bytesField(1, version)]),
    ...resources.map((resource) => bytesField(2, resource)),
    bytesField(4, typeUrl),
    bytesField(5, nonce),
  ]);
}
