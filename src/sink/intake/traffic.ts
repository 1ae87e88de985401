import { FieldReader } from '../../wire/protobuf.ts';
import { encodeTrafficReport } from '../../wire/traffic-report.ts';
import { flagsIn, wrappedNumberIn } from '../record/decode-parts.ts';
import * as fields from '../record/entry-fields.ts';
import { mayHoldRefusal, refusalIn } from '../record/refusal.ts';

/** As `sekisho.kind` calls it. */
type EntryKind = 'http' | 'tcp' | 'connection';

interface Counts {
  requests: number;
  serverErrors: number;
  denied: number;
}

/** Counts what Envoys answered, by node, for the control plane to compare canary nodes with the others. Looks at a few bytes of each entry. */
export class TrafficMeter {
  #nodes = new Map<string, Counts>();
  #from: number;

  constructor(now: number) {
    this.#from = now;
  }

  /** Takes in the entries of a message. Those that are none are left out, as they are of the journal. */
  count(node: string, kind: EntryKind, entries: readonly Buffer[], message: Buffer): void {
    if (entries.length === 0) return;
    let counts = this.#nodes.get(node);
    if (!counts) this.#nodes.set(node, (counts = { requests: 0, serverErrors: 0, denied: 0 }));
    const suspect = kind === 'http' && mayHoldRefusal(message, kind);
    for (const entry of entries) {
      try {
        const outcome = suspect && refusalIn(entry, 'http') ? 'denied' : outcomeOf(kind, entry);
        if (outcome === undefined) continue;
        counts.requests += 1;
        if (outcome === 'server-error') counts.serverErrors += 1;
        else if (outcome === 'denied') counts.denied += 1;
      } catch {
        // The intake tells of it.
      }
    }
  }

  /** What came since the last report, up to now, as a sekisho.v1.TrafficReport. */
  report(now: number): Buffer {
    const nodes = [...this.#nodes]
      .filter(([, { requests }]) => requests > 0)
      .map(([node, counts]) => ({ node, ...counts }));
    const report = encodeTrafficReport({ from: this.#from, to: now, nodes });
    this.#nodes = new Map();
    this.#from = now;
    return report;
  }
}

type Outcome = 'good' | 'server-error' | 'denied';

/** Undefined for what is no end of anything: a connection that goes on. */
function outcomeOf(kind: EntryKind, entry: Buffer): Outcome | undefined {
  switch (kind) {
    case 'http':
      return statusOf(entry) >= 500 ? 'server-error' : 'good';
    case 'tcp': {
      const { type, flags } = connectionOf(entry);
      if (type !== connectionEnd) return undefined;
      return flags.some((flag) => unreached.has(flag)) ? 'server-error' : 'good';
    }
    // Only those are logged that were refused, or whose handshake failed.
    case 'connection':
      return 'denied';
  }
}

/** envoy.data.accesslog.v3.AccessLogType TcpConnectionEnd. */
const connectionEnd = 3;
/** envoy.data.accesslog.v3.ResponseFlags: UH, UF, UO, NC, DF. Envoy found no way to an upstream. */
const unreached: ReadonlySet<number> = new Set([2, 6, 8, 25, 27]);

function statusOf(entry: Buffer): number {
  const part = new FieldReader(entry);
  while (part.next()) {
    if (!part.is(fields.httpAccessLogEntry.response)) continue;
    const response = part.message();
    while (response.next()) {
      if (response.field === fields.httpResponseProperties.response_code) return wrappedNumberIn(response.message());
    }
  }
  return 0;
}

function connectionOf(entry: Buffer): { type: number; flags: readonly number[] } {
  const common = commonOf(entry);
  let type = 0;
  let flags: readonly number[] = [];
  while (common?.next() === true) {
    if (common.field === fields.accessLogCommon.access_log_type) type = common.uint();
    else if (common.is(fields.accessLogCommon.response_flags)) flags = flagsIn(common.message());
  }
  return { type, flags };
}

/** common_properties has the same number in both types of entry. */
function commonOf(entry: Buffer): FieldReader | undefined {
  const part = new FieldReader(entry);
  while (part.next()) if (part.is(fields.httpAccessLogEntry.common_properties)) return part.message();
  return undefined;
}
