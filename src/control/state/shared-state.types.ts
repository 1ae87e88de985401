import type { Watch } from '../../base/disk.types.ts';
import type { LeaseHolder } from './lease.ts';

/**
 * What the control planes of one fleet have in common: entries of bytes by name, such as `rollout.json`, each of them whole and durable. One process at a time holds
 * the lease and writes; all read. An entry's name is `[a-z][\w-]*\.[a-z]+`.
 */
export interface SharedState {
  /** Tells two state folders apart, wherever they are mounted. */
  readonly id: string;
  /** Where it lies, for people. */
  readonly place: string;
  /** Whether this process holds the lease. What it reads is then the last word of whoever held it before, or its own. */
  readonly held: boolean;
  /** The newest bytes of an entry; undefined where there is none. Throws `file_unreadable`. */
  read(entry: string): Promise<Buffer | undefined>;
  /** The names of all entries, sorted. Throws `file_unreadable`. */
  entries(): Promise<string[]>;
  /**
   * On disk when it resolves, and what everybody reads from then on. Throws `lease_lost` where this process does not hold the lease, or lost it meanwhile: then
   * whatever was written is read by nobody. Throws `file_unwritable` or `disk_full`.
   */
  write(entry: string, bytes: Uint8Array | string): Promise<void>;
  /** As `write`. It is no error if there is no such entry. */
  remove(entry: string): Promise<void>;
  /** Puts what this process has to tell the holder in the place of what it told before. Any process may. Throws `file_unwritable` or `disk_full`. */
  leaveNote(text: string): Promise<void>;
  /** What the other processes left since the lease was last taken, each by an id of its process. Throws `file_unreadable`. */
  notes(): Promise<Map<string, string>>;
  /** Calls back after an entry changed, or the lease came or went. Several changes may come as one call. */
  watch(changed: () => void): Watch;
  standing(): LeaseStanding;
}

/** Who holds the lease. */
export interface LeaseStanding {
  readonly held: boolean;
  /** Name of this process. */
  readonly name: string;
  /** Undefined as long as nobody is known to have it. */
  readonly holder: LeaseHolder | undefined;
}
