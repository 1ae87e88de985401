import { createHmac } from 'node:crypto';
import type { Clock } from '../../base/clock.ts';
import { defaultCost, passwordHashText } from '../../policy/password-hash.ts';
import type { Accounts, PasswordHash } from '../../policy/policy.types.ts';
import { readCredentials } from './credentials.ts';
import { Locks } from './locks.ts';
import { Remembered } from './remembered.ts';

/** Somebody at a door for whom a name has to be found. */
export interface Attempt {
  /** The people of the door. */
  readonly accounts: Accounts;
  /** The client's address, without port. */
  readonly client: string;
  readonly header: string | undefined;
}

export type Verdict =
  | { readonly user: string }
  /** `retryMs`: when it may be worth another try. */
  | { readonly denied: DenialReason; readonly retryMs?: number };

/** `busy`: more passwords wait to be tried than can be tried in time. */
export type DenialReason = 'no_credentials' | 'wrong_credentials' | 'locked' | 'busy';

export interface GatekeeperOptions {
  readonly clock: Clock;
  /** Chance, 32 bytes: what is remembered of passwords is worth nothing without it. */
  readonly key: Uint8Array;
  /** Works out whether this is the password. Asked for one at a time. */
  readonly matches: (password: string, hash: PasswordHash) => Promise<boolean>;
  /** Is told when a client, or a name, has failed too often. */
  readonly locked: (whom: 'client' | 'user', attempt: Attempt) => void;
}

/** At 90 ms each the last one waits for less than the 10 seconds after which Envoy answers 503 by itself. */
const mostWaiting = 64;

/** Decides who is who, by names and passwords. Knows no protocol but RFC 7617. */
export class Gatekeeper {
  readonly #options: GatekeeperOptions;
  readonly #remembered: Remembered;
  /** Apart, so that many addresses push out no name. */
  readonly #clients: Locks;
  readonly #users: Locks;
  /** What is being worked out or waits for it, by mark and client: a browser opens many tunnels with one password at once. */
  readonly #waiting = new Map<string, Promise<Verdict>>();
  #last: Promise<unknown> = Promise.resolve();

  constructor(options: GatekeeperOptions) {
    this.#options = options;
    this.#remembered = new Remembered(options.clock);
    this.#clients = new Locks(options.clock);
    this.#users = new Locks(options.clock);
  }

  get waiting(): number {
    return this.#waiting.size;
  }

  async check(attempt: Attempt): Promise<Verdict> {
    const { client, header, accounts } = attempt;
    const credentials = readCredentials(header);
    const locked = this.#lockOf(client, credentials.kind === 'basic' ? credentials.name : undefined);
    if (locked !== undefined) return locked;
    if (credentials.kind === 'none') return { denied: 'no_credentials' };
    if (credentials.kind === 'unreadable') return this.#failed(attempt, undefined);

    const { name, password } = credentials;
    const hash = accounts.get(name) ?? this.#decoy(accounts, name);
    const mark = this.#mark([name, passwordHashText(hash), password]);
    if (this.#remembered.has(mark)) return { user: name };
    const place = `${client} ${mark}`;
    const known = this.#waiting.get(place);
    if (known !== undefined) return known;
    if (this.#waiting.size >= mostWaiting) return { denied: 'busy', retryMs: 1000 };
    const verdict = this.#inTurn(async () => {
      // Those before it may have locked them both, or another client may have shown the same.
      const lockedMeanwhile = this.#lockOf(client, name);
      if (lockedMeanwhile !== undefined) return lockedMeanwhile;
      if (this.#remembered.has(mark)) return { user: name };
      // The decoy is tried, too: an unknown name takes as long as a wrong password.
      const right = (await this.#options.matches(password, hash)) && accounts.has(name);
      if (!right) return this.#failed(attempt, name);
      this.#remembered.add(mark);
      return { user: name };
    }).finally(() => this.#waiting.delete(place));
    this.#waiting.set(place, verdict);
    return verdict;
  }

  /** One after the other, so that each finds the failures of those before it counted. */
  #inTurn(work: () => Promise<Verdict>): Promise<Verdict> {
    const mine = this.#last.then(work);
    this.#last = mine.catch(() => undefined);
    return mine;
  }

  #lockOf(client: string, name: string | undefined): Verdict | undefined {
    const ms = Math.max(this.#clients.lockedFor(client), name === undefined ? 0 : this.#users.lockedFor(name));
    return ms > 0 ? { denied: 'locked', retryMs: ms } : undefined;
  }

  #failed(attempt: Attempt, name: string | undefined): Verdict {
    if (this.#clients.failed(attempt.client)) this.#options.locked('client', attempt);
    if (name !== undefined && this.#users.failed(name)) this.#options.locked('user', attempt);
    return { denied: 'wrong_credentials' };
  }

  /** A hash that no password has, as dear as that of somebody of the door; of the same one every time, or the time would tell. */
  #decoy(accounts: Accounts, name: string): PasswordHash {
    const chance = this.#hmac(`decoy ${name}`);
    const costs = [...accounts.values()].map(({ cost }) => cost);
    const cost = costs[chance.readUInt32BE() % Math.max(1, costs.length)] ?? defaultCost;
    return { cost, salt: chance.subarray(0, 16), hash: chance };
  }

  /** The hash is a part of it, so that a changed password is not remembered; all is written so that no two can read the same. */
  #mark(parts: readonly string[]): string {
    return this.#hmac(JSON.stringify(parts)).toString('base64');
  }

  #hmac(text: string): Buffer {
    return createHmac('sha256', this.#options.key).update(text).digest();
  }
}
