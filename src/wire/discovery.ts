import { SekishoError } from '../base/errors.ts';
import { bytesField, FieldReader } from './protobuf.ts';

/** The Envoy behind a stream, from the node of its first request. */
export interface NodeInfo {
  readonly id: string;
  readonly cluster: string;
  /** `user_agent_name`: `envoy`, `gRPC Node Pure JS`, … */
  readonly agent: string;
  /** `1.40.0`, from the build version, else from `user_agent_version`; absent where the node does not tell. */
  readonly version?: string;
}

/** What a DeltaDiscoveryRequest says. */
export interface DeltaRequest {
  readonly node?: NodeInfo;
  readonly typeUrl: string;
  readonly subscribe: readonly string[];
  readonly unsubscribe: readonly string[];
  /** Name → version of what the client still holds from an earlier stream. */
  readonly initialVersions: ReadonlyMap<string, string>;
  /** The response that this request answers; empty in a request that only changes the subscription. */
  readonly nonce: string;
  /** Set when that response was refused. */
  readonly error?: { readonly code: number; readonly message: string };
}

/**
 * Reads a DeltaDiscoveryRequest; the field numbers are those of envoy/service/discovery/v3/discovery.proto, others are skipped.
 * Throws `request_malformed` when the bytes are no such message.
 */
export function decodeDeltaRequest(bytes: Buffer): DeltaRequest {
  try {
    return readDeltaRequest(new FieldReader(bytes));
  } catch (caught) {
    if (SekishoError.from(caught).code === 'request_malformed') throw caught;
    throw malformed(SekishoError.from(caught).message, caught);
  }
}

function readDeltaRequest(reader: FieldReader): DeltaRequest {
  const subscribe: string[] = [];
  const unsubscribe: string[] = [];
  const initialVersions = new Map<string, string>();
  let node: NodeInfo | undefined;
  let error: DeltaRequest['error'];
  let typeUrl = '';
  let nonce = '';
  while (reader.next()) {
    if (reader.is(1)) node = readNode(reader.message());
    else if (reader.is(2)) typeUrl = reader.string();
    else if (reader.is(3)) subscribe.push(reader.string());
    else if (reader.is(4)) unsubscribe.push(reader.string());
    else if (reader.is(5)) initialVersions.set(...readMapEntry(reader.message()));
    else if (reader.is(6)) nonce = reader.string();
    else if (reader.is(7)) error = readStatus(reader.message());
  }
  if (typeUrl === '') throw malformed('It has no type_url.');
  return { ...(node && { node }), typeUrl, subscribe, unsubscribe, initialVersions, nonce, ...(error && { error }) };
}

/** envoy.config.core.v3.Node. Envoy lists all its extensions here, so the message has about 60 KB, of which this is all we read. */
function readNode(reader: FieldReader): NodeInfo {
  let id = '';
  let cluster = '';
  let agent = '';
  let spoken: string | undefined;
  let built: string | undefined;
  while (reader.next()) {
    if (reader.is(1)) id = reader.string();
    else if (reader.is(2)) cluster = reader.string();
    else if (reader.is(6)) agent = reader.string();
    else if (reader.is(7)) spoken = reader.string();
    else if (reader.is(8)) built = readBuildVersion(reader.message());
  }
  const version = built ?? spoken;
  return { id, cluster, agent, ...(version !== undefined && { version }) };
}

function readBuildVersion(reader: FieldReader): string | undefined {
  while (reader.next()) if (reader.is(1)) return readSemanticVersion(reader.message());
  return undefined;
}

function readSemanticVersion(reader: FieldReader): string {
  const parts = [0, 0, 0];
  while (reader.next()) if (reader.field <= parts.length) parts[reader.field - 1] = reader.uint();
  return parts.join('.');
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

/** google.rpc.Status. */
function readStatus(reader: FieldReader): { code: number; message: string } {
  let code = 0;
  let message = '';
  while (reader.next()) {
    if (reader.field === 1) code = reader.uint();
    else if (reader.is(2)) message = reader.string();
  }
  return { code, message };
}

/** A resource as it travels: its name, its version and its `google.protobuf.Any`, encoded. */
export interface WireResource {
  readonly name: string;
  readonly version: string;
  readonly bytes: Buffer;
}

/** One entry of `DeltaDiscoveryResponse.resources`, tag included, to be copied into any number of responses. */
export function encodeResourceField(resource: WireResource): Buffer {
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

/** Writes a DeltaDiscoveryResponse. The nonce stands last: what comes before it depends on the resources alone. */
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

function malformed(why: string, cause?: unknown): SekishoError {
  return new SekishoError('request_malformed', `A discovery request could not be read. ${why}`, { cause });
}
