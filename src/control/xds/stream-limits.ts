/** What one stream may cost us in memory, whatever its client does. */
export interface StreamLimits {
  /** Types that a stream may ask for; Envoy uses about six. Requests for more are left unanswered. */
  readonly types: number;
  /** About how many bytes the names may take that a stream subscribes to, or says it holds: enough for some 100,000 names. */
  readonly nameBytes: number;
  /** Responses of a type that wait for an ACK; beyond them a client must acknowledge before it is answered again. */
  readonly unacknowledged: number;
}

export const defaultStreamLimits: StreamLimits = { types: 32, nameBytes: 16_777_216, unacknowledged: 64 };
