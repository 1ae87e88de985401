import type { ControlEvent, RecordIdentity } from '../../wire/control-event.ts';
import type { Gap } from '../../wire/gap.ts';
import type { recordAssurances, recordCopies, recordKinds } from './envelope.ts';

/** A record as a reader sees it: the envelope, and what Envoy's entry says. Absent is `undefined`; unknown fields are left out. */
export interface StoredRecord {
  /** '' where a record of the kind `control` speaks of several nodes. */
  readonly node: string;
  readonly log: string;
  /** Start of the Envoy process, milliseconds since 1970; absent where it did not say. */
  readonly epoch?: number;
  readonly kind: keyof typeof recordKinds | 'unknown';
  readonly identity: RecordIdentity | 'unknown';
  /** Nanoseconds since 1970. */
  readonly received: bigint;
  readonly redactions: readonly string[];
  readonly truncated: boolean;
  /** Which logger brought it; absent for the access log stream. */
  readonly copy?: keyof typeof recordCopies | 'unknown';
  /** What the policy promised when it was stored; absent in records of a time without a choice. */
  readonly assurance?: keyof typeof recordAssurances | 'unknown';
  readonly suppressed?: SuppressedRefusals;
  readonly entry: StoredEntry;
  /** With the kind `control`, whose `entry` says nothing. */
  readonly control?: ControlEvent;
  /** With the kind `gap`, whose `entry` says nothing. */
  readonly gap?: Gap;
}

/** The refusals for which the record of the last of them stands. */
export interface SuppressedRefusals {
  /** How many were not stored, besides the one that the record shows. */
  readonly count: number;
  /** When the sink received the first of them; nanoseconds since 1970. The last is the record's own. */
  readonly since: bigint;
  /** They are of several clients. */
  readonly shared: boolean;
}

/** HTTPAccessLogEntry and TCPAccessLogEntry; `request` and `response` come with the first, `connection` with the second. */
export interface StoredEntry {
  common?: StoredCommon;
  /** HTTPVersion: 1 is HTTP/1.0, 2 HTTP/1.1, 3 HTTP/2, 4 HTTP/3. */
  protocol?: number;
  request?: StoredRequest;
  response?: StoredResponse;
  connection?: { receivedBytes?: number; sentBytes?: number };
}

export interface SocketPeer {
  address: string;
  port: number;
}

export interface StoredCommon {
  downstreamRemote?: SocketPeer;
  downstreamLocal?: SocketPeer;
  downstreamDirect?: SocketPeer;
  upstreamRemote?: SocketPeer;
  tls?: StoredTls;
  /** Nanoseconds since 1970. */
  startTime?: bigint;
  /** Nanoseconds. */
  duration?: bigint;
  upstreamCluster?: string;
  /** Field numbers of ResponseFlags that are set. */
  responseFlags?: number[];
  /** The claimed ARN of dynamic metadata, as stored (percent-encoded or not). */
  claimedArn?: string;
  upstreamFailure?: string;
  downstreamFailure?: string;
  termination?: string;
  routeName?: string;
  tags?: Map<string, string>;
  attempts?: number;
  streamId?: string;
  wireBytesSent?: number;
  wireBytesReceived?: number;
  accessLogType?: number;
}

export interface StoredTls {
  /** TLSVersion: 1 is TLS 1.0, up to 4, TLS 1.3. */
  version?: number;
  serverName?: string;
  peerSubject?: string;
  ja3?: string;
}

export interface StoredRequest {
  method?: number;
  scheme?: string;
  authority?: string;
  path?: string;
  userAgent?: string;
  referer?: string;
  forwardedFor?: string;
  requestId?: string;
  originalPath?: string;
  headersBytes?: number;
  bodyBytes?: number;
  headers?: Map<string, string>;
}

export interface StoredResponse {
  code?: number;
  headersBytes?: number;
  bodyBytes?: number;
  headers?: Map<string, string>;
  trailers?: Map<string, string>;
  codeDetails?: string;
}
