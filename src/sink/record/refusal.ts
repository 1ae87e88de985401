import { bytesField } from '../../wire/protobuf.ts';
import { decodeEntry } from './decode-entry.ts';
import {
  accessLogCommon,
  address as addressFields,
  httpAccessLogEntry,
  mapEntry,
  socketAddress,
} from './entry-fields.ts';
import { socketPeer } from './host-port.ts';
import { present } from './present.ts';
import type { StoredCommon, StoredRecord } from './stored-record.types.ts';

/** Somebody whom a door turned away. */
export interface Refusal {
  /** The client's address without its port; '' where the entry does not say. */
  readonly client: string;
  /** As `sekisho.denied.reason` of docs/records.md. */
  readonly reason: string;
}

/** The kinds of records that may be refusals. */
export type RefusableKind = 'http' | 'connection';

/**
 * Whether an access-log message may hold a refusal: bytes that stand in each one of kind `http`, and hardly in another. Three searches at the speed
 * of memory, so that nobody else's entries are decoded for it. Of kind `connection` all entries are refusals.
 */
export function mayHoldRefusal(message: Buffer, kind: RefusableKind): boolean {
  return kind === 'connection' || signs.some((sign) => message.includes(sign, 0, 'latin1'));
}

/** The keys of the two tags behind their length, and the flag DPE (field 19, varint, true), as protobuf writes them. */
const signs = ['\x06denied', '\x06barred', '\x98\x01\x01'] as const;

/** Whom an entry says that the door refused; undefined where it did not, whatever AWS answered, and where it cannot be read. */
export function refusalIn(entry: Buffer, kind: RefusableKind): Refusal | undefined {
  const common = commonOf(entry);
  if (common === undefined) return undefined;
  const tag = (name: string): string | undefined => present(common.tags?.get(name));
  const reason = refusalReason(kind, tag, common);
  if (reason === undefined) return undefined;
  const client = (socketPeer(tag('client')) ?? common.downstreamRemote)?.address ?? '';
  return { client: client.slice(0, longest), reason: reason.slice(0, longest) };
}

/** Read as a TCP entry, for what the two have in common is enough. */
function commonOf(entry: Buffer): StoredCommon | undefined {
  try {
    return decodeEntry(entry, 'tcp').common ?? {};
  } catch {
    return undefined;
  }
}

/** Characters. No address and no reason of ours is longer, and they are kept in memory. */
const longest = 64;

/** The least entry that says the same: `refusalIn` of it gives the refusal. */
export function bareRefusal({ client, reason }: Refusal): Buffer {
  const address = bytesField(addressFields.socket_address, bytesField(socketAddress.address, client));
  const denied = Buffer.concat([bytesField(mapEntry.key, 'denied'), bytesField(mapEntry.value, reason)]);
  return bytesField(
    httpAccessLogEntry.common_properties,
    Buffer.concat([
      bytesField(accessLogCommon.downstream_remote_address, address),
      bytesField(accessLogCommon.custom_tags, denied),
    ]),
  );
}

/** Why a door refused, by the tags and flags of a record; undefined where it did not. */
export function refusalReason(
  kind: StoredRecord['kind'],
  tag: (name: string) => string | undefined,
  common: Pick<StoredCommon, 'responseFlags' | 'upstreamRemote'>,
): string | undefined {
  // Who is not let in may have asked for a host off the list, too; that nobody looked at.
  return tag('barred') ?? tag('denied') ?? reasonByFlags(kind, common);
}

/** Envoy's numbers of NR, no route found (to a connection: no filter chain serves it), and of DPE, the client broke the protocol. */
const noRoute = 9;
const protocolError = 19;

function reasonByFlags(
  kind: StoredRecord['kind'],
  { responseFlags = [], upstreamRemote }: Pick<StoredCommon, 'responseFlags' | 'upstreamRemote'>,
): string | undefined {
  switch (kind) {
    // Of connections that never became HTTP only the refused ones are on record.
    case 'connection':
      if (responseFlags.includes(noRoute)) return 'no_filter_chain';
      return responseFlags.includes(protocolError) ? 'protocol' : 'handshake';
    // Who breaks the protocol in the middle of a request was let in before.
    case 'http':
      return responseFlags.includes(protocolError) && upstreamRemote === undefined ? 'protocol' : undefined;
    case 'tcp':
    case 'intent':
    case 'gap':
    case 'control':
    case 'unknown':
      return undefined;
  }
}
