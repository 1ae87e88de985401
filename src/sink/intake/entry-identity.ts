import { FieldReader } from '../../wire/protobuf.ts';
import {
  accessLogCommon as common,
  address,
  httpAccessLogEntry,
  moment,
  socketAddress,
} from '../record/entry-fields.ts';

/** What tells one access-log entry from every other one of the same log, and both copies of it have in common. */
export interface EntryIdentity {
  /** envoy.data.accesslog.v3.AccessLogType. */
  readonly type: number;
  /** When the request or connection began; seconds since 1970, and nanoseconds besides. */
  readonly seconds: number;
  readonly nanos: number;
  /** How long it had lasted when the entry was made; nanoseconds. */
  readonly duration: number;
  /** The stream id, '' where the request has none. One char per byte. */
  readonly id: string;
  /** `address:port` of the client, where the stream has no id; '' where it is no socket. */
  readonly client: string;
}

/** Reads it out of an HTTPAccessLogEntry or a TCPAccessLogEntry, and nothing else. Throws SekishoError `record_malformed`. */
export function entryIdentity(entry: Buffer): EntryIdentity {
  const identity = { type: 0, seconds: 0, nanos: 0, duration: 0, id: '', client: '' };
  let remote: FieldReader | undefined;
  const part = new FieldReader(entry);
  while (part.next()) {
    if (!part.is(httpAccessLogEntry.common_properties)) continue;
    const reader = part.message();
    while (reader.next()) {
      switch (reader.field) {
        case common.downstream_remote_address:
          remote = reader.standing();
          break;
        case common.start_time:
          readStart(reader.message(), identity);
          break;
        case common.duration:
          identity.duration = nanosIn(reader.message());
          break;
        case common.stream_id:
          identity.id = reader.latin1();
          break;
        case common.access_log_type:
          identity.type = reader.uint();
      }
    }
  }
  if (identity.id === '-') identity.id = '';
  if (identity.id === '' && remote !== undefined) identity.client = clientIn(remote.message());
  return identity;
}

function readStart(reader: FieldReader, into: { seconds: number; nanos: number }): void {
  while (reader.next()) {
    if (reader.field === moment.seconds) into.seconds = reader.uint();
    else if (reader.field === moment.nanos) into.nanos = reader.uint();
  }
}

function nanosIn(reader: FieldReader): number {
  const read = { seconds: 0, nanos: 0 };
  readStart(reader, read);
  return read.seconds * 1e9 + read.nanos;
}

function clientIn(reader: FieldReader): string {
  let [host, port] = ['', 0];
  while (reader.next()) {
    if (!reader.is(address.socket_address)) continue;
    const socket = reader.message();
    while (socket.next()) {
      if (socket.is(socketAddress.address)) host = socket.latin1();
      else if (socket.field === socketAddress.port_value) port = socket.uint();
    }
  }
  return host === '' ? '' : `${host}:${port}`;
}
