import type { FilePlace } from './problem.ts';

/** The policy as the rest of Sekisho sees it: checked, complete, with nothing left to parse. Made only by `loadPolicy`. */
export interface Policy {
  /** The path that the policy was read from; relative paths inside it are relative to its folder. */
  readonly file: string;
  /** SHA-256 of the file's text as UTF-8, in hex: what `sha256sum` says of it. */
  readonly sha256: string;
  /** What it was read from, of which the text is a part. */
  readonly source: PolicySource;
  readonly fleet: Fleet;
  readonly doors: readonly Door[];
  readonly console: ConsoleRules;
  readonly record: RecordRules;
  readonly outputs: readonly OutputRules[];
  /** In the order of the policy, and in each file from its top. */
  readonly resources: readonly ExtraResource[];
  /** Absent: every change goes to all nodes at once. */
  readonly rollout?: RolloutRules;
  readonly server: ServerRules;
}

/** What a policy was read from, so that it can be read again when its files have changed. Holds no secret: users files are not in it. */
export interface PolicySource {
  readonly text: string;
  /** Certificates (PEM) and files of Envoy resources, by their paths from the policy's folder on. */
  readonly files: ReadonlyMap<string, string>;
  /** The names in folders that patterns of `resources` looked into, by their paths likewise. */
  readonly folders: ReadonlyMap<string, readonly string[]>;
}

/** Envoys that share a policy, and the addresses from which AWS sees them. */
export interface Fleet {
  /** A DNS label; the trust domain of the node certificates. */
  readonly name: string;
  /** Public addresses of the fleet, canonical CIDR (`51.44.71.80/32`). */
  readonly egress: readonly string[];
  readonly groups: readonly NodeGroup[];
}

export interface NodeGroup {
  readonly name: string;
  /** The nodes that the policy names. */
  readonly nodes: readonly FleetNode[];
  /** Nodes that the policy admits by a glob on their id (`host-*`), at most `max` of them. */
  readonly pattern?: { readonly match: string; readonly max: number };
}

export interface FleetNode {
  /** The Envoy's node id; a DNS name in lower case, unique in the fleet. */
  readonly id: string;
  /** Host name or address under which people and Sekisho reach the node. */
  readonly address?: string;
  /** The local address from which this node dials upstream. */
  readonly source?: string;
}

/** A listener through which people enter. */
export interface Door {
  /** A DNS label, unique in the policy. */
  readonly name: string;
  /** Name of the node group that opens this door. */
  readonly on: string;
  readonly kind: DoorKind;
  readonly inspect: Inspection;
  readonly listen: SocketAddress;
  /** Networks from which people may come, canonical CIDRs; empty means any. */
  readonly from: readonly string[];
  /** Whether the proxy itself speaks TLS (an HTTPS proxy). */
  readonly tls: boolean;
  readonly users: DoorUsers;
  /** Why a door without users may stand off loopback. */
  readonly reason?: string;
}

/**
 * How people come in: `forward` is an explicit proxy (CONNECT); at a `reverse` door the names of the console lead to Envoy, by split DNS;
 * a `sidecar` takes what nftables redirects on its own host.
 */
export type DoorKind = 'forward' | 'reverse' | 'sidecar';

/** `full`: TLS ends at Envoy and each request is recorded. `tunnel`: nothing is decrypted, connections are recorded. */
export type Inspection = 'full' | 'tunnel';

export type DoorUsers =
  | { readonly kind: 'none' }
  /** People show a client certificate that one of these authorities (PEM text, certificates only) signed; the door has `tls`. */
  | { readonly kind: 'certificate'; readonly authorities: string }
  /** People show name and password to the proxy (RFC 7617); off loopback the door has `tls`. */
  | { readonly kind: 'basic'; readonly accounts: Accounts };

/** The people of a users file, by name. Written to no log, no resource and no answer. */
export type Accounts = ReadonlyMap<string, PasswordHash>;

/** A password as scrypt (RFC 7914) leaves it. */
export interface PasswordHash {
  readonly cost: ScryptCost;
  readonly salt: Uint8Array;
  readonly hash: Uint8Array;
}

/** `ln`: log2 of N. It takes 128 · r · 2^ln bytes and a time that grows with p · r · 2^ln. */
export interface ScryptCost {
  readonly ln: number;
  readonly r: number;
  readonly p: number;
}

export interface ConsoleRules {
  /** AWS partitions: aws, aws-cn, aws-us-gov, aws-eusc. */
  readonly partitions: readonly string[];
  readonly regions: readonly string[];
  /** Further hosts, exact or `*.` with one label. */
  readonly also: readonly string[];
  /** DNS servers that Envoy asks for upstream names; empty means the system's. */
  readonly resolvers: readonly SocketAddress[];
  /** Hosts whose addresses the policy gives itself, private ones included. */
  readonly pins: readonly HostPin[];
  /** PEM text that the console's own certificates must chain to, certificates only; absent means the Envoy host's system bundle. */
  readonly trust?: string;
}

export interface HostPin {
  /** A host, or `*.` and a host, as in the list of admitted hosts. */
  readonly host: string;
  readonly endpoints: readonly SocketAddress[];
}

/**
 * How sure it is that a request is on record: as Envoy's access log stream is (`stream`), or Envoy sends it until the sink has it on disk (`receipt`), or
 * besides it was on record before it left (`gate`).
 */
export type Assurance = 'stream' | 'receipt' | 'gate';

export interface RecordRules {
  readonly assurance: Assurance;
  /** Query parameters whose values are withheld besides the built-in ones; lower case. */
  readonly redactQuery: readonly string[];
  /** Seconds between two records of an undecrypted connection that lasts. */
  readonly periodicSeconds: number;
  readonly refusals: RefusalRules;
}

/** Which refusals of a client are stored one by one: `burst` at once and then `rate` a minute. The others are counted for `tallySeconds`. */
export interface RefusalRules {
  readonly burst: number;
  readonly rate: number;
  readonly tallySeconds: number;
}

/** Where records go besides the journal. */
export interface OutputRules {
  readonly kind: 'jsonl';
  /** Absolute; of no other output. */
  readonly dir: string;
  /** A file is rotated when it has so many bytes, or when its first line is so old. */
  readonly rotate: { readonly bytes: number; readonly seconds: number };
}

/** An Envoy resource of the user's own. Whether it is one, and may stand beside ours, is for `control/extra` to say, which knows Envoy's API. */
export interface ExtraResource {
  /** ProtoJSON as its author wrote it. */
  readonly json: Readonly<Record<string, unknown>>;
  /** The node group that gets it; absent: each. */
  readonly on?: string;
  /** Why its listeners may go without our access loggers; absent: they may not. */
  readonly unrecorded?: string;
  /** Where a field of it stands, or the nearest thing around it. */
  readonly place: (path: readonly (string | number)[], at: 'key' | 'value') => FilePlace;
}

/** How a change reaches the nodes. */
export interface RolloutRules {
  /** Who gets it first. */
  readonly canary: { readonly nodes: readonly string[] } | { readonly percent: number };
  /** How long it stays with them before it goes on. */
  readonly soakSeconds: number;
}

export interface ServerRules {
  readonly grpc: {
    readonly listen: SocketAddress;
    /** Where the Envoys reach the control planes of the fleet, this one among them; at least one. */
    readonly addresses: readonly SocketAddress[];
  };
  /** Health, metrics, fleet; on loopback. */
  readonly admin: SocketAddress;
  /** PAC and CA certificates. */
  readonly public: SocketAddress;
}

export interface SocketAddress {
  /** An IP address, or a host name where one is allowed. IPv6 without brackets. */
  readonly host: string;
  readonly port: number;
}
