import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import * as z from 'zod';
import type { Disk, Watch } from '../../base/disk.types.ts';
import { SekishoError } from '../../base/errors.ts';
import { Entries, leaseLost } from './entries.ts';
import { ownEntry } from './entry-names.ts';
import type { LeaseHolder } from './lease.ts';
import type { LeaseStanding, SharedState } from './shared-state.types.ts';

/** The right to write, as a lease gives it, or as somebody has it whose folder nobody else opens. */
export interface Tenure {
  /** The number of the lease that is held; undefined where none is. */
  readonly held: number | undefined;
  readonly holder: LeaseHolder | undefined;
  look(): Promise<void>;
  release(): Promise<void>;
}

export interface StateFolderOptions {
  readonly folder: string;
  readonly fleet: string;
  readonly name: string;
  readonly disk: Pick<Disk, 'list' | 'readFile' | 'writeFileAtomic' | 'remove' | 'watch'>;
  readonly tenure: Tenure;
}

/** A folder in which the control planes of a fleet keep what they have in common. `look` has to be called every third of a term. */
export class StateFolder implements SharedState {
  readonly #options: StateFolderOptions;
  readonly #entries: Entries;
  readonly #listeners = new Set<() => void>();
  readonly #folderWatch: Watch;
  /** The lease under which everything has been written anew. */
  #sealed: number | undefined;
  #id: string | undefined;
  /** Tells the notes of two processes apart. */
  readonly #process = randomBytes(8).toString('hex');
  #last: Promise<unknown> = Promise.resolve();

  constructor(options: StateFolderOptions) {
    this.#options = options;
    this.#entries = new Entries(options.folder, options.disk);
    this.#folderWatch = options.disk.watch(options.folder, () => {
      this.#tell();
    });
  }

  get place(): string {
    return this.#options.folder;
  }

  get id(): string {
    return this.#id ?? '';
  }

  get held(): boolean {
    const { held } = this.#options.tenure;
    return held !== undefined && held === this.#sealed;
  }

  read(entry: string): Promise<Buffer | undefined> {
    return this.#entries.read(entry);
  }

  async entries(): Promise<string[]> {
    return [...(await this.#entries.current()).keys()].filter((entry) => entry !== ownEntry).sort();
  }

  write(entry: string, bytes: Uint8Array | string): Promise<void> {
    return this.#turn(() => this.#entries.write(entry, bytes, this.#lease()));
  }

  remove(entry: string): Promise<void> {
    return this.#turn(() => this.#entries.remove(entry, this.#lease()));
  }

  leaveNote(text: string): Promise<void> {
    return this.#entries.leaveNote(this.#process, text);
  }

  notes(): Promise<Map<string, string>> {
    return this.#entries.notes(this.#process);
  }

  watch(changed: () => void): Watch {
    // Of two who watch with the same function each has a watch of its own.
    const listener = (): void => {
      changed();
    };
    this.#listeners.add(listener);
    return { close: () => void this.#listeners.delete(listener) };
  }

  standing(): LeaseStanding {
    return { held: this.held, name: this.#options.name, holder: this.#options.tenure.holder };
  }

  /** Renews the lease, takes it, or leaves it to its holder; one that was just taken counts once all entries are written anew. Throws `state_invalid`. */
  async look(): Promise<void> {
    const { tenure } = this.#options;
    const before = this.held;
    this.#id ??= await this.#readId();
    await tenure.look();
    const lease = tenure.held;
    if (lease !== undefined && lease !== this.#sealed) await this.#seal(lease);
    if (this.held !== before) this.#tell();
  }

  /** Looks as long as the folder is nobody's yet: somebody else has taken the lease of a new one and is about to write whose it is. */
  async open(pause: () => Promise<unknown> = () => sleep(50)): Promise<void> {
    for (;;) {
      await this.look();
      if (this.#id !== undefined) return;
      await pause();
    }
  }

  /** Gives the lease back. */
  async close(): Promise<void> {
    this.#folderWatch.close();
    this.#listeners.clear();
    await this.#turn(() => this.#options.tenure.release());
  }

  async #seal(lease: number): Promise<void> {
    const id = this.#id ?? (await this.#readId()) ?? randomBytes(8).toString('hex');
    const own = `${JSON.stringify({ format, fleet: this.#options.fleet, id })}\n`;
    try {
      await this.#turn(() => this.#entries.seal(lease, own));
    } catch (caught) {
      // Taken by another one before anything of it was seen.
      if (SekishoError.from(caught).code === 'lease_lost') return;
      throw caught;
    }
    this.#id = id;
    this.#sealed = lease;
  }

  async #readId(): Promise<string | undefined> {
    const bytes = await this.read(ownEntry);
    if (bytes === undefined) return undefined;
    const own = ownSchema.safeParse(jsonOf(bytes)).data;
    const { folder, fleet } = this.#options;
    if (own?.fleet === fleet) return own.id;
    const what = own === undefined ? 'is not what this version writes' : `is that of the fleet ${own.fleet}`;
    throw new SekishoError('state_invalid', `the state in ${folder} ${what} — name another folder with --state`, {
      facts: { path: folder },
    });
  }

  #lease(): number {
    const { held } = this.#options.tenure;
    if (held === undefined || held !== this.#sealed) throw leaseLost();
    return held;
  }

  /** One after the other: two writes at a time would give their files the same name. */
  #turn<T>(work: () => Promise<T>): Promise<T> {
    const mine = this.#last.then(work);
    this.#last = mine.catch(() => undefined);
    return mine;
  }

  #tell(): void {
    for (const listener of this.#listeners) listener();
  }
}

const format = 1;
const ownSchema = z.object({ format: z.literal(format), fleet: z.string(), id: z.string().regex(/^[0-9a-f]{16}$/) });

function jsonOf(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8')) as unknown;
  } catch {
    return undefined;
  }
}
