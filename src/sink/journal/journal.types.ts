import type { SekishoError } from '../../base/errors.ts';
import type { Frames } from './frames.ts';

/** Bytes in order, kept. Each appended payload becomes one frame with an index of its own, counted from 0 without holes. */
export interface Journal {
  /**
   * Stores the payloads, in order and next to each other, and resolves with the index of the first one when all of them are on
   * disk: fdatasync has returned and, for a new segment, its name is synced. They can then be read by any reader too.
   * `Frames` must stay as they are until then. While the disk fails the promise waits (see `failing`).
   *
   * Bounds nothing by itself: ask `hasRoom` or await `room` before taking on more.
   * Rejects with record_too_large (more than 65,535 bytes), record_malformed (none), journal_closed, or at close with what failed.
   */
  append(payloads: readonly Buffer[] | Frames, options?: AppendOptions): Promise<number>;
  /** Resolves when all that was appended until now is on disk; rejects with what `append` rejects with. */
  settled(): Promise<void>;
  /** Whether fewer bytes wait for the disk than `queueBytes`. */
  hasRoom(): boolean;
  /** Resolves when there is room again, or when the journal is closed. Back-pressure begins with whoever awaits this. */
  room(): Promise<void>;
  /** The index after the last frame on disk: the number of frames ever stored here. */
  readonly nextIndex: number;
  /** Bytes appended but not on disk yet. */
  readonly queuedBytes: number;
  /** Why the disk takes nothing at present (disk_full, disk_failed); undefined while it does. */
  readonly failing: SekishoError | undefined;
  /**
   * Takes no more appends, stores what waits (or rejects it, if the disk is failing), notes the end so that later damage is
   * told from a torn tail, and gives the folder back. May be called twice.
   */
  close(): Promise<void>;
}

export interface AppendOptions {
  /** Somebody waits for the acknowledgement: what has gathered until now goes to the disk at once. Default false. */
  readonly urgent?: boolean;
}

/** What the journal tells its owner. Called from within the journal's own work: must be quick and must not throw. */
export interface JournalObserver {
  /** A batch is on disk. `bytes` counts frames as stored; `seconds` is the time from its first write to its acknowledgement. */
  committed?(batch: { frames: number; bytes: number; seconds: number }): void;
  /** At opening: the last batch of a process that died was incomplete. It was never acknowledged; `bytes` from `offset` on were cut. */
  torn?(tail: { segment: string; offset: number; bytes: number }): void;
  /** Acknowledged bytes cannot be read. The file is left as it is. Each damage is told once per opening. */
  corrupt?(damage: Corruption): void;
  /** The disk refuses; what is appended waits in memory and is tried again. Told again only if the reason changes. */
  failing?(error: SekishoError): void;
  /** The disk takes writes again. */
  recovered?(): void;
  segmentOpened?(segment: { segment: string; firstIndex: number }): void;
  /** All segments older than the newest have been read through. */
  checked?(result: { segments: number; seconds: number }): void;
}

export interface Corruption {
  /** The segment's file name. */
  readonly segment: string;
  /** Bytes from its beginning to the first byte that makes no sense. */
  readonly offset: number;
  /**
   * How many frames cannot be read because of it: exact, known from the next index that can; 0 if only bytes between frames are
   * hit. In the newest segment, where nothing follows, at least so many.
   */
  readonly lostFrames: number;
}
