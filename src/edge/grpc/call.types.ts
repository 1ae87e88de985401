import type { PeerCertificate } from 'node:tls';

/** How a call ends: a code of gRPC's, and words for whoever called. */
export interface Status {
  readonly code: number;
  readonly details: string;
}

/** Who is at the other end, by TLS; without TLS nothing is known. */
export interface AuthContext {
  readonly transportSecurityType?: string;
  readonly sslPeerCertificate?: PeerCertificate;
}

export interface CallEvents {
  data: [message: Buffer];
  /** The caller has said its last. */
  end: [];
  /** After `write` gave false: there is room again. */
  drain: [];
  /** The call is over, whoever ended it. */
  cancelled: [];
  close: [];
  error: [error: unknown];
}

/**
 * A call as our handlers see it. Both fulfil it: a call over Node's HTTP/2 (http2/http2-call.ts), which is what Sekisho serves, and one of a grpc-js server,
 * to which users of `sekisho/xds` may give the same handlers.
 */
export interface AnyCall {
  readonly metadata: { get(name: string): (string | Buffer)[] };
  readonly cancelled: boolean;
  /** IP:port. */
  getPeer(): string;
  getAuthContext(): AuthContext;
  on<Event extends keyof CallEvents>(event: Event, listener: (...args: CallEvents[Event]) => void): unknown;
}

export interface UnaryCall extends AnyCall {
  readonly request: Buffer;
}

/** Messages come as `data` from when somebody listens for them. */
export interface ReadableCall extends AnyCall {
  pause(): unknown;
  resume(): unknown;
}

export interface WritableCall extends AnyCall {
  readonly request: Buffer;
  /** False when it wants no more until `drain`. */
  write(message: Buffer): boolean;
  /** Ends well once all is written. */
  end(): unknown;
  /** Ends with this status once all is written. */
  emit(event: 'error', status: Status): boolean;
  once(event: 'drain', listener: () => void): unknown;
  off(event: 'drain', listener: () => void): unknown;
}

export type StreamCall = ReadableCall & Omit<WritableCall, 'request'>;

/** Ends a call that has one answer. */
export type Answer = (failed: Status | null, message?: Buffer) => void;

export type Handler =
  | ((call: UnaryCall, answer: Answer) => void)
  | ((call: ReadableCall, answer: Answer) => void)
  | ((call: WritableCall) => void)
  | ((call: StreamCall) => void);
