import { join } from 'node:path';

import type { Disk } from '../../base/disk.ts';

/** A file of the journal by its name. */
export interface Segment {
  readonly name: string;
  readonly path: string;
  readonly firstIndex: number;
}

/** The segments of a journal's folder in the order of their frames. Other files there are none of our business. */
export async function listSegments(disk: Disk, dir: string): Promise<Segment[]> {
  const names = await disk.list(dir);
  // Twenty digits sort as their numbers do.
  return names
    .filter((name) => /^\d{20}\.seg$/.test(name))
    .sort()
    .map((name) => ({ name, path: join(dir, name), firstIndex: Number(name.slice(0, 20)) }));
}

/** A segment as it is called when its first frame has this index. */
export function segmentAt(dir: string, firstIndex: number): Segment {
  const name = `${String(firstIndex).padStart(20, '0')}.seg`;
  return { name, path: join(dir, name), firstIndex };
}

/** The segment in which the frame of this index is or would be; undefined before the first one. */
export async function findSegment(options: { disk: Disk; dir: string; index: number }): Promise<Segment | undefined> {
  const segments = await listSegments(options.disk, options.dir);
  return segments.findLast((segment) => segment.firstIndex <= options.index);
}
