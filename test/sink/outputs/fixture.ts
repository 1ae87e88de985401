import { setImmediate as turn } from 'node:timers/promises';
import type { Clock } from '../../../src/base/clock.ts';
import type { Disk } from '../../../src/base/disk.ts';
import { alsStream } from '../../../src/sink/intake/als.ts';
import { openJournal, type Journal } from '../../../src/sink/journal/journal.ts';
import type { FollowedJournal } from '../../../src/sink/journal/followed-journal.types.ts';
import { Pulse } from '../../../src/sink/journal/pulse.ts';
import { readJournal } from '../../../src/sink/journal/reader.ts';
import { cursorFile, type CursorFile } from '../../../src/sink/outputs/cursor-file.ts';
import { Follower, type FollowerObserver } from '../../../src/sink/outputs/follower.ts';
import { jsonlOutput } from '../../../src/sink/outputs/jsonl.ts';
import { redactionRules } from '../../../src/sink/record/redaction-rules.ts';
import { FaultyDisk } from '../../base/faulty-disk.ts';
import { alsMessage, consoleRequest, httpEntry, tcpEntry } from '../record/entries.ts';

export const dir = '/out';
export const cursorPath = '/data/outputs/jsonl.json';

/** A clock that a test moves. */
export class HandClock implements Clock {
  ms = Date.UTC(2026, 10, 24, 12);

  now(): number {
    return this.ms;
  }
}

/** A journal on a disk of its own, whose records have these paths. */
export class Source {
  readonly disk = new FaultyDisk();
  readonly dir = '/journal';
  readonly pulse = new Pulse();
  readonly clock: Clock;
  readonly #watchers = new Set<() => void>();
  #journal: Journal | undefined;

  constructor(clock: Clock = new HandClock()) {
    this.clock = clock;
  }

  async open(options: { segmentBytes?: number } = {}): Promise<this> {
    const committed = (): void => {
      for (const watcher of this.#watchers) watcher();
      this.pulse.beat();
    };
    this.#journal = await openJournal({ dir: this.dir, disk: this.disk, observer: { committed }, ...options });
    return this;
  }

  get journal(): Journal {
    if (this.#journal === undefined) throw new Error('open it first');
    return this.#journal;
  }

  get followed(): FollowedJournal {
    return { dir: this.dir, disk: this.disk, pulse: this.pulse, nextIndex: () => this.journal.nextIndex };
  }

  onCommit(watcher: () => void): void {
    this.#watchers.add(watcher);
  }

  /** Stores requests for these paths as an Envoy's access log brings them. */
  async store(...paths: readonly string[]): Promise<void> {
    await this.storeEntries({ http: paths.map((path) => consoleRequest({ path })) });
  }

  async storeEntries({ http = [], tcp = [] }: { http?: readonly object[]; tcp?: readonly object[] }): Promise<void> {
    const identifier = { node: { id: 'egress-1' }, log_name: 'office/http' };
    const message = alsMessage({ identifier, http: http.map(httpEntry), tcp: tcp.map(tcpEntry) });
    const stream = alsStream({
      identity: { kind: 'loopback' },
      admits: () => true,
      rules: () => rules,
      clock: this.clock,
      refusals: { admits: () => true },
      observer: {
        message: () => undefined,
        redacted: () => undefined,
        incomplete: () => undefined,
        suppressed: () => undefined,
        refused: (_, error) => {
          throw error;
        },
      },
    });
    await this.journal.append(stream.message(message));
  }

  /** Everything that is stored. */
  async payloads(): Promise<Buffer[]> {
    const payloads: Buffer[] = [];
    for await (const { payload } of readJournal({ dir: this.dir, disk: this.disk, onCorrupt: () => undefined })) {
      payloads.push(payload);
    }
    return payloads;
  }
}

const rules = redactionRules([]);

export interface Rotation {
  readonly bytes: number;
  readonly seconds: number;
}

/** A follower that writes files on this disk, and what it told. */
export interface Following {
  readonly follower: Follower;
  readonly told: string[];
  readonly cursor: CursorFile;
}

export function follow(
  source: Source,
  disk: Disk,
  options: { rotate?: Rotation; clock?: Clock; pause?: (ms: number, signal: AbortSignal) => Promise<void> } = {},
): Following {
  const { rotate = { bytes: 1e9, seconds: 3600 }, clock = source.clock } = options;
  const told: string[] = [];
  const observer: FollowerObserver = {
    failing: ({ code }) => told.push(code),
    recovered: () => told.push('recovered'),
    restarted: () => told.push('restarted'),
  };
  const cursor = cursorFile(cursorPath, 'jsonl:/out', disk);
  const follower = new Follower({
    output: jsonlOutput({ dir, rotate, disk, clock }),
    cursor,
    journal: source.followed,
    clock,
    observer,
    pause: options.pause ?? ((_, signal) => turn(undefined, { signal })),
  });
  return { follower, told, cursor };
}

/** Waits, turn by turn, until the output has all that the journal has. */
export async function caughtUp({ follower }: Following, dead: () => boolean = () => false): Promise<void> {
  for (let n = 0; follower.lag().records > 0 || n < 20; n += 1) {
    if (dead()) return;
    if (n > 20_000) {
      await follower.stop(0);
      throw new Error(`${follower.lag().records} records are missing after ${n} turns`);
    }
    await turn();
  }
}

/** The lines of every file in the output's folder, the oldest first and the one that grows last. Fails where a line is not whole. */
export function filesOf(disk: FaultyDisk): Map<string, readonly Record<string, unknown>[]> {
  const names = disk.paths().filter((path) => path.startsWith(`${dir}/`) && path.endsWith('.jsonl'));
  return new Map(
    names.sort().map((name) => {
      const lines = (disk.contents(name)?.toString() ?? '').split('\n');
      if (lines.pop() !== '') throw new Error(`${name} ends in a line that is not whole`);
      return [name, lines.map((line) => JSON.parse(line) as Record<string, unknown>)];
    }),
  );
}

export function indices(lines: readonly Record<string, unknown>[]): number[] {
  return lines.map((line) => Number(line['sekisho.index']));
}
