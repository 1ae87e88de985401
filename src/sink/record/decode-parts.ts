import type { FieldReader } from '../../wire/protobuf.ts';
import * as fields from './entry-fields.ts';
import type { SocketPeer } from './stored-record.types.ts';

/** envoy.config.core.v3.Address, where it is an IP socket; pipes and Envoy's internal addresses give undefined. */
export function socketPeerIn(reader: FieldReader): SocketPeer | undefined {
  const peer = { address: '', port: 0 };
  while (reader.next()) {
    if (!reader.is(fields.address.socket_address)) continue;
    const socket = reader.message();
    while (socket.next()) {
      if (socket.is(fields.socketAddress.address)) peer.address = socket.string();
      else if (socket.field === fields.socketAddress.port_value) peer.port = socket.uint();
    }
  }
  return peer.address === '' ? undefined : peer;
}

/** google.protobuf.UInt32Value: present even where it is 0. */
export function wrappedNumberIn(reader: FieldReader): number {
  let value = 0;
  while (reader.next()) if (reader.field === fields.wrappedNumber.value) value = reader.uint();
  return value;
}

/** Adds the map<string,string> entry that `reader` stands on. */
export function putEntry(map: Map<string, string> | undefined, reader: FieldReader): Map<string, string> {
  const entry = reader.message();
  let key = '';
  let value = '';
  while (entry.next()) {
    if (entry.is(fields.mapEntry.key)) key = entry.string();
    else if (entry.is(fields.mapEntry.value)) value = entry.string();
  }
  return (map ?? new Map<string, string>()).set(key, value);
}

/** Numbers of the fields that are set in a message of booleans (and of messages, whose presence says the same). */
export function flagsIn(reader: FieldReader): number[] {
  const flags: number[] = [];
  while (reader.next()) if (reader.wire === 2 || reader.uint() !== 0) flags.push(reader.field);
  return flags;
}
