import { SekishoError } from '../base/errors.ts';
import type { FieldReader } from './protobuf.ts';
import { shownName } from './shown-name.ts';

/** The Envoy behind a stream, from the node of its first request; each text is a `shownName`. */
export interface NodeInfo {
  readonly id: string;
  readonly cluster: string;
  /** `user_agent_name`: `envoy`, `gRPC Node Pure JS`, … */
  readonly agent: string;
  /** `1.40.0`, from the build version, else from `user_agent_version`; absent where the node does not tell. */
  readonly version?: string;
}

/** envoy.config.core.v3.Node. Envoy lists all its extensions here, so the message has about 60 KB, of which this is all we read. */
export function readNode(reader: FieldReader): NodeInfo {
  let id = '';
  let cluster = '';
  let agent = '';
  let spoken: string | undefined;
  let built: string | undefined;
  while (reader.next()) {
    if (reader.is(1)) id = shownName(reader.string());
    else if (reader.is(2)) cluster = shownName(reader.string());
    else if (reader.is(6)) agent = shownName(reader.string());
    else if (reader.is(7)) spoken = shownName(reader.string());
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

/** What a NACK says: google.rpc.Status. */
export interface Refusal {
  readonly code: number;
  readonly message: string;
}

export function readStatus(reader: FieldReader): Refusal {
  let code = 0;
  let message = '';
  while (reader.next()) {
    if (reader.field === 1) code = reader.uint();
    else if (reader.is(2)) message = reader.string();
  }
  return { code, message };
}

/** What `read` throws about bytes becomes `request_malformed`. */
export function readingRequest<T>(read: () => T): T {
  try {
    return read();
  } catch (caught) {
    if (SekishoError.from(caught).code === 'request_malformed') throw caught;
    throw malformedRequest(SekishoError.from(caught).message, caught);
  }
}

function malformedRequest(why: string, cause?: unknown): SekishoError {
  return new SekishoError('request_malformed', `A discovery request could not be read. ${why}`, { cause });
}
