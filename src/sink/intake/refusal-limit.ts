import type { RefusalRules } from '../../policy/policy.types.ts';
import {
  recordLimit,
  suppressedLimit,
  withShortEntry,
  withSuppressed,
  type EncodedRecord,
} from '../record/envelope.ts';
import { bareRefusal, type Refusal } from '../record/refusal.ts';

/** A refusal with the record that it would become. */
export interface RefusalRecord extends Refusal {
  readonly node: string;
  readonly log: string;
  /** Milliseconds since 1970. */
  readonly received: number;
  readonly record: EncodedRecord;
}

/** How much is remembered. Tests bring less. */
export interface RefusalBounds {
  /** Clients, each as often as it is refused at another door or for another reason: about 0.5 KiB each. */
  readonly clients: number;
  /** Logs of nodes in which clients share what is left. */
  readonly logs: number;
  /** Bytes of the entries that wait to be shown. */
  readonly evidenceBytes: number;
}

export const refusalBounds: RefusalBounds = { clients: 16_384, logs: 16_384, evidenceBytes: 8 * 1024 * 1024 };

/** What is left of a client's allowance, and what was not stored since it was used up. */
interface Allowance {
  tokens: number;
  /** When `tokens` was right; milliseconds since 1970. */
  at: number;
  suppressed: { count: number; readonly since: number; last: EncodedRecord } | undefined;
  readonly shared: boolean;
}

/**
 * Decides which refusals are stored. Each client has a bucket of tokens (`burst`) for each door and reason, which fills again by `rate` a minute; a
 * refusal without a token is counted instead, and the last one kept as evidence. An attacker who is refused for one thing so does not hide what
 * the same address is refused for besides.
 *
 * Clients beyond the bound share one bucket for each log of a node, so that many addresses do not evade the limit. A node that invents so many
 * logs that those are beyond theirs has its refusals stored: it could as well send requests.
 */
export class RefusalLimit {
  readonly #rules: () => RefusalRules;
  readonly #bounds: RefusalBounds;
  readonly #clients = new Map<string, Allowance>();
  readonly #logs = new Map<string, Allowance>();
  readonly #waiting = new Set<Allowance>();
  #evidenceBytes = 0;
  #swept = 0;

  constructor(rules: () => RefusalRules, bounds: RefusalBounds = refusalBounds) {
    this.#rules = rules;
    this.#bounds = bounds;
  }

  /** Whether anything was counted that `take` has not given yet. */
  get waiting(): boolean {
    return this.#waiting.size > 0;
  }

  /** Entries in memory, for tests. */
  get size(): number {
    return this.#clients.size + this.#logs.size;
  }

  /** Whether this refusal is to be stored; if not, it has been counted. */
  admits(refusal: RefusalRecord): boolean {
    const allowance = this.#allowanceOf(refusal);
    if (allowance === undefined) return true;
    this.#fill(allowance, refusal.received);
    if (allowance.tokens >= 1) {
      allowance.tokens -= 1;
      return true;
    }
    this.#count(allowance, refusal);
    return false;
  }

  /** A record for each client of whom refusals were counted since the last call, the first to be counted first. */
  take(): EncodedRecord[] {
    const records = [...this.#waiting].flatMap((allowance) => {
      const { suppressed, shared } = allowance;
      allowance.suppressed = undefined;
      if (suppressed === undefined) return [];
      const { count, since, last } = suppressed;
      // The one in the record is not missing.
      return [count === 1 ? last : withSuppressed(last, { count: count - 1, since, shared })];
    });
    this.#waiting.clear();
    this.#evidenceBytes = 0;
    return records;
  }

  #allowanceOf({ node, log, client, reason, received }: RefusalRecord): Allowance | undefined {
    const place = `${node}\n${log}`;
    const key = `${place}\n${client}\n${reason}`;
    const known = this.#clients.get(key);
    if (known !== undefined) return known;
    if (this.#clients.size < this.#bounds.clients || this.#sweep(received))
      return this.#put(this.#clients, key, received);
    const shared = this.#logs.get(place);
    if (shared !== undefined || this.#logs.size >= this.#bounds.logs) return shared;
    return this.#put(this.#logs, place, received);
  }

  #put(into: Map<string, Allowance>, key: string, now: number): Allowance {
    const shared = into === this.#logs;
    const allowance = { tokens: this.#rules().burst, at: now, suppressed: undefined, shared };
    into.set(key, allowance);
    return allowance;
  }

  /** A clock that was set back gives nothing and takes nothing. */
  #fill(allowance: Allowance, now: number): void {
    const { burst, rate } = this.#rules();
    const gained = (Math.max(0, now - allowance.at) * rate) / 60_000;
    allowance.tokens = Math.min(burst, allowance.tokens + gained);
    allowance.at = now;
  }

  /** Forgets who has a full bucket again, for so has everybody who was never seen. Whether there is room now; looks once a second. */
  #sweep(now: number): boolean {
    if (Math.abs(now - this.#swept) < 1000) return false;
    this.#swept = now;
    const { burst } = this.#rules();
    for (const allowances of [this.#clients, this.#logs]) {
      for (const [key, allowance] of allowances) {
        this.#fill(allowance, now);
        if (allowance.tokens >= burst && allowance.suppressed === undefined) allowances.delete(key);
      }
    }
    return this.#clients.size < this.#bounds.clients;
  }

  #count(allowance: Allowance, refusal: RefusalRecord): void {
    const { count, since, last } = allowance.suppressed ?? { count: 0, since: refusal.received, last: undefined };
    this.#evidenceBytes -= last?.length ?? 0;
    const kept = this.#kept(refusal);
    this.#evidenceBytes += kept.length;
    allowance.suppressed = { count: count + 1, since, last: kept };
    this.#waiting.add(allowance);
  }

  /** The record in memory of its own, for its entry shares that of a whole message; where it has no room, the record of a bare entry. */
  #kept(refusal: RefusalRecord): EncodedRecord {
    const { record } = refusal;
    const room = this.#bounds.evidenceBytes - this.#evidenceBytes;
    if (record.length > Math.min(room, recordLimit - suppressedLimit)) {
      return withShortEntry(record, 'entry:dropped', bareRefusal(refusal));
    }
    const entry = Buffer.allocUnsafeSlow(record.entry.length);
    record.entry.copy(entry);
    return { ...record, entry };
  }
}
