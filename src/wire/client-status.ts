import { SekishoError } from '../base/errors.ts';
import type { NodeInfo } from './node-info.ts';
import { bytesField, FieldReader, uintField } from './protobuf.ts';

/** A StringMatcher of Envoy's API, but a regular expression: whoever asks must not decide how long the process that feeds the fleet works on one. */
export interface StringMatch {
  readonly kind: 'exact' | 'prefix' | 'suffix' | 'contains';
  readonly text: string;
  readonly ignoreCase: boolean;
}

/** What a ClientStatusRequest says. */
export interface ClientStatusRequest {
  /** A node is meant when one of them fits its id; `any` fits all. None at all means every node. */
  readonly nodes: readonly (StringMatch | 'any')[];
  readonly excludeContents: boolean;
}

/**
 * Reads a ClientStatusRequest; the numbers are those of envoy/service/status/v3/csds.proto and envoy/type/matcher/v3. A criterion that is not known is
 * refused: to overlook it would be to tell more than was asked for.
 * @throws SekishoError request_malformed
 */
export function decodeClientStatusRequest(bytes: Buffer): ClientStatusRequest {
  try {
    const nodes: (StringMatch | 'any')[] = [];
    let excludeContents = false;
    const reader = new FieldReader(bytes);
    while (reader.next()) {
      if (reader.is(1)) nodes.push(readNodeMatcher(reader.message()));
      else if (reader.field === 3) excludeContents = reader.uint() !== 0;
    }
    return { nodes, excludeContents };
  } catch (caught) {
    const error = SekishoError.from(caught);
    if (error.code === 'request_malformed') throw error;
    throw new SekishoError('request_malformed', `This is no ClientStatusRequest. ${error.message}`, { cause: caught });
  }
}

function readNodeMatcher(reader: FieldReader): StringMatch | 'any' {
  let match: StringMatch | 'any' = 'any';
  while (reader.next()) {
    if (!reader.is(1)) throw unsupported('node_matchers', 'anything but node_id');
    match = readStringMatcher(reader.message());
  }
  return match;
}

const kinds: Readonly<Record<number, StringMatch['kind']>> = {
  1: 'exact',
  2: 'prefix',
  3: 'suffix',
  7: 'contains',
};

function readStringMatcher(reader: FieldReader): StringMatch {
  let found: { kind: StringMatch['kind']; text: string } | undefined;
  let ignoreCase = false;
  while (reader.next()) {
    const kind = kinds[reader.field];
    if (reader.field === 6) ignoreCase = reader.uint() !== 0;
    else if (kind === undefined) throw unsupported('node_id', 'a regular expression or an extension');
    else found = { kind, text: reader.string() };
  }
  if (!found) throw malformed('node_id', 'has nothing to match');
  if (found.text === '' && found.kind !== 'exact') throw malformed(`node_id.${found.kind}`, 'is empty');
  return { ...found, ignoreCase };
}

function unsupported(field: string, what: string): SekishoError {
  return malformed(
    field,
    `has ${what}, which is not supported; name nodes by exact, prefix, suffix or contains of node_id`,
  );
}

function malformed(field: string, what: string): SekishoError {
  return new SekishoError('request_malformed', `${field} of the ClientStatusRequest ${what}.`);
}

const clientStatuses = ['UNKNOWN', 'REQUESTED', 'DOES_NOT_EXIST', 'ACKED', 'NACKED'] as const;
const configStatuses = ['UNKNOWN', 'SYNCED', 'NOT_SENT', 'STALE', 'ERROR'] as const;

/** What a ClientConfig.GenericXdsConfig says. Times are milliseconds since 1970. */
export interface GenericConfig {
  readonly type: string;
  readonly name: string;
  readonly version: string;
  /** A serialized `google.protobuf.Any`. */
  readonly content: Buffer | undefined;
  readonly updated: number | undefined;
  readonly config: (typeof configStatuses)[number];
  readonly client: (typeof clientStatuses)[number];
  readonly refusal: { readonly version: string; readonly text: string; readonly at: number } | undefined;
}

/** A GenericXdsConfig as the field that it is in a ClientConfig. */
export function encodeGenericConfig(row: GenericConfig): Buffer {
  const { type, name, version, content, updated, config, client, refusal } = row;
  return bytesField(
    3,
    Buffer.concat([
      bytesField(1, type),
      bytesField(2, name),
      ...text(3, version),
      ...(content ? [bytesField(4, content)] : []),
      ...(updated === undefined ? [] : [bytesField(5, timestamp(updated))]),
      uintField(6, configStatuses.indexOf(config)),
      uintField(7, clientStatuses.indexOf(client)),
      ...(refusal ? [bytesField(8, failure(refusal))] : []),
    ]),
  );
}

/** A ClientConfig as the field that it is in a ClientStatusResponse; a response is some of them, one behind the other. */
export function encodeClientConfig(node: NodeInfo, configs: readonly Buffer[]): Buffer {
  const { id, cluster, agent, version } = node;
  const told = Buffer.concat([bytesField(1, id), ...text(2, cluster), ...text(6, agent), ...text(7, version ?? '')]);
  return bytesField(1, Buffer.concat([bytesField(1, told), ...configs]));
}

/** envoy.admin.v3.UpdateFailureState without the configuration that failed. */
function failure({ version, text: details, at }: NonNullable<GenericConfig['refusal']>): Buffer {
  return Buffer.concat([bytesField(2, timestamp(at)), ...text(3, details), ...text(4, version)]);
}

function timestamp(milliseconds: number): Buffer {
  return Buffer.concat([
    uintField(1, Math.floor(milliseconds / 1000)),
    uintField(2, Math.floor(milliseconds % 1000) * 1_000_000),
  ]);
}

function text(field: number, value: string): Buffer[] {
  return value === '' ? [] : [bytesField(field, value)];
}
