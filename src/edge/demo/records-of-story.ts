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
 * Reads the journal as it grows, until there is a record of every request that the stand-in saw, at assurance `gate` also from before it left, and of as many refusals at the door, or
 * until patience ends. Envoy flushes its log every second; 15 s is generous.
 */
export async function recordsOfStory(
  { scene, standIn }: Pick<Stage, 'scene' | 'standIn'>,
  { refusals, intents: gated }: { readonly refusals: number; readonly intents: boolean },
  patienceMs = 15_000,
): Promise<StoryRecords> {
  const items: QueryItem[] = [];
  const seen = standIn.requests.map(
    ({ requestId = '', method, host, path }) => [requestId, `${method} ${host}${path.split('?')[0] ?? ''}`] as const,
  );
  const outcomes = new Map(seen);
  const intents = new Map(gated ? seen : []);
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
      (item.record['sekisho.kind'] === 'intent' ? intents : outcomes).delete(String(item.record['sekisho.stream_id']));
      if (item.record['sekisho.denied.reason'] === 'host') denied += 1;
    }
    if (outcomes.size === 0 && intents.size === 0 && denied >= refusals) enough.abort();
  }
  const missing = [
    ...outcomes.values(),
    ...[...intents.values()].map((request) => `${request} before it left`),
    ...Array.from({ length: Math.max(0, refusals - denied) }, () => 'a refusal'),
  ];
  return { items, missing, next: (items.at(-1)?.index ?? -1) + 1 };
}
