import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import * as z from 'zod';
import { errnoOf, SekishoError } from '../../base/errors.ts';
import type { Disk } from '../../base/disk.types.ts';
import { leaseFile, newestLease, nextLease } from './entry-names.ts';
import { judge, watchLease, type FoundLease, type LeaseTimes, type WatchedLease } from './judge.ts';

/** Who holds a lease, for people. */
export interface LeaseHolder {
  /** Host and process. */
  readonly name: string;
  /** When it took the lease, by the clock of its host. RFC 3339 in UTC. */
  readonly since: string;
}

export type LeaseDisk = Pick<Disk, 'list' | 'readFile' | 'writeFileAtomic' | 'createExclusive' | 'syncDir'>;

export interface LeaseOptions {
  readonly folder: string;
  readonly disk: LeaseDisk;
  readonly name: string;
  readonly times: LeaseTimes;
  /** Milliseconds of a clock that nobody sets. */
  readonly elapsed: () => number;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/**
 * A lease on a folder that several processes share, on one host or on many.
 *
 * Each lease has a number and a file of its own, `lease.7`, which whoever takes it creates exclusively (O_EXCL, atomic on POSIX file systems and on NFSv4)
 * and nobody else ever writes to. Its holder writes it anew with every renewal. Of several files the highest number is the lease. Has no timer: `look`
 * has to be called every third of a term.
 */
export class Lease {
  readonly #options: LeaseOptions;
  readonly #id = randomBytes(8).toString('hex');
  #watched: WatchedLease | undefined;
  #mine: { readonly number: number; readonly since: string; beat: number; until: number } | undefined;

  constructor(options: LeaseOptions) {
    this.#options = options;
  }

  /** The number of the lease that this process holds; undefined where it holds none, or its time has run out since the last renewal. */
  get held(): number | undefined {
    const mine = this.#mine;
    return mine !== undefined && this.#options.elapsed() < mine.until ? mine.number : undefined;
  }

  /** Who held it at the last look. */
  get holder(): LeaseHolder | undefined {
    return this.#watched?.found && parse(this.#watched.found.text);
  }

  /** Looks at the folder once: renews the lease, takes it, or leaves it to its holder. */
  async look(): Promise<void> {
    const { times, elapsed } = this.#options;
    const started = elapsed();
    const names = await this.#names();
    const watched = watchLease(this.#watched, await this.#find(names), started);
    this.#watched = watched;
    switch (judge(this.#mine?.number, watched, started, times)) {
      case 'leave':
        this.#mine = undefined;
        return;
      case 'take':
        this.#mine = undefined;
        await this.#take(nextLease(names), started);
        return;
      case 'renew':
        await this.#renew(started);
    }
  }

  /** Gives the lease back, so that another one takes it with its next look. */
  async release(): Promise<void> {
    const mine = this.#mine;
    this.#mine = undefined;
    if (mine === undefined || newestLease(await this.#names()) !== mine.number) return;
    await this.#write(mine.number, this.#text(mine, true));
  }

  async #take(number: number, started: number): Promise<void> {
    const { folder, disk, now, times } = this.#options;
    const mine = { number, since: new Date(now()).toISOString(), beat: 0, until: -Infinity };
    const created = await disk.createExclusive(join(folder, leaseFile(number)), 0o600).catch((caught: unknown) => {
      // Another one was faster.
      if (errnoOf(caught) === 'EEXIST') return undefined;
      throw caught;
    });
    if (created === undefined) return;
    // Ours from now on, also if the disk takes nothing more: then the next look goes on from here.
    this.#mine = mine;
    try {
      await created.write(Buffer.from(this.#text(mine, false)), 0);
      await created.sync();
    } finally {
      await created.close();
    }
    await disk.syncDir(folder);
    mine.until = started + times.termMs;
    await this.#lookAgain();
  }

  async #renew(started: number): Promise<void> {
    const mine = this.#mine;
    if (mine === undefined) return;
    mine.beat += 1;
    await this.#write(mine.number, this.#text(mine, false));
    mine.until = started + this.#options.times.termMs;
    await this.#lookAgain();
  }

  /** A lease that was taken while ours was written is seen now, and not only at the next look. */
  async #lookAgain(): Promise<void> {
    const names = await this.#names();
    if (newestLease(names) !== this.#mine?.number) this.#mine = undefined;
    this.#watched = watchLease(this.#watched, await this.#find(names), this.#options.elapsed());
  }

  async #find(names: readonly string[]): Promise<FoundLease | undefined> {
    const number = newestLease(names);
    if (number === undefined) return undefined;
    const { folder, disk } = this.#options;
    const bytes = await disk.readFile(join(folder, leaseFile(number))).catch((caught: unknown) => {
      // A newer one has just taken its place; the next look shows it.
      if (SekishoError.from(caught).facts['errno'] === 'ENOENT') return Buffer.alloc(0);
      throw caught;
    });
    const text = bytes.toString('utf8');
    return { number, text, released: parse(text)?.released ?? false };
  }

  #text({ since, beat }: { readonly since: string; readonly beat: number }, released: boolean): string {
    return `${JSON.stringify({ holder: this.#id, name: this.#options.name, since, beat, released })}\n`;
  }

  #write(number: number, text: string): Promise<void> {
    return this.#options.disk.writeFileAtomic(join(this.#options.folder, leaseFile(number)), text, 0o600);
  }

  #names(): Promise<string[]> {
    return this.#options.disk.list(this.#options.folder);
  }
}

/** Undefined for what is not whole: a lease whose taker died before it had written a word is a lease of nobody. */
function parse(text: string): (LeaseHolder & { readonly released: boolean }) | undefined {
  try {
    return leaseSchema.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}

const leaseSchema = z.object({ name: z.string(), since: z.string(), released: z.boolean() });
