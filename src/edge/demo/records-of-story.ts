import { realDisk } from '../../base/disk.ts';
import { readJournal } from '../../sink/journal/reader.ts';
import { queryRecords, type QueryItem } from '../../sink/query/query-records.ts';
import { journalFolder } from '../service/sink-role.ts';
import type { NamedRecord } from '../../sink/record/name.ts';
import type { Stage } from './stage.ts';

export interface StoryRecords {
  readonly items: readonly QueryItem[];
  /** What the stand-in saw and the journal does not hold, as `METHOD host/path`. */
  readonly missing: readonly string[];
  /** The index after the last record. */
  readonly next: number;
}

/**
 * Reads the journal as it grows, until there is a record of every request that the stand-in saw and of as many refusals at the door, or
 * until patience ends. Envoy flushes its log every second; 15 s is generous.
 */
export async function recordsOfStory(
  { scene, standIn }: Pick<Stage, 'scene' | 'standIn'>,
  refusals: number,
  patienceMs = 15_000,
): Promise<StoryRecords> {
  const items: QueryItem[] = [];
  const awaited = new Map(
    standIn.requests.map((seen) => [
      seen.requestId ?? '',
      `${seen.method} ${seen.host}${seen.path.split('?')[0] ?? ''}`,
    ]),
  );
  let denied = 0;
  const enough = new AbortController();
  const signal = AbortSignal.any([enough.signal, AbortSignal.timeout(patienceMs)]);
  const frames = readJournal({
    dir: journalFolder(scene.data),
    disk: realDisk,
    follow: signal,
    onCorrupt: () => undefined,
  });
  // What the fleet was told is not a part of the story.
  const ofPeople = (record: NamedRecord): boolean => record['sekisho.kind'] !== 'control';
  for await (const item of queryRecords(frames, ofPeople)) {
    items.push(item);
    if (item.kind === 'record') {
      awaited.delete(String(item.record['sekisho.stream_id']));
      if (item.record['sekisho.denied.reason'] === 'host') denied += 1;
    }
    if (awaited.size === 0 && denied >= refusals) enough.abort();
  }
  const missing = [...awaited.values(), ...Array.from({ length: Math.max(0, refusals - denied) }, () => 'a refusal')];
  return { items, missing, next: (items.at(-1)?.index ?? -1) + 1 };
}
