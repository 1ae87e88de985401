import type { Disk } from '../../base/disk.ts';
import type { Corruption } from './journal.types.ts';
import { scanSegment } from './scan.ts';
import type { Segment } from './segments.ts';

/**
 * Reads a segment that is no longer written to, and reports what of it is damaged. It ends where the next one begins:
 * `successor` is the first index of that. Frames beyond it are those of a batch whose sync failed and which was written again
 * there. `pace` is awaited after each reading and may throw to end the check.
 */
export async function checkSegment(
  disk: Disk,
  segment: Segment,
  options: { successor: number; corrupt: (damage: Corruption) => void; pace: (bytes: number) => Promise<void> },
): Promise<void> {
  const file = await disk.open(segment.path);
  try {
    for await (const scanned of scanSegment(file, segment, { pace: options.pace })) {
      if (scanned.kind === 'batch') continue;
      if (scanned.kind === 'damage') {
        options.corrupt({ segment: segment.name, offset: scanned.offset, lostFrames: scanned.lostFrames });
      } else if (scanned.nextIndex < options.successor) {
        const lostFrames = options.successor - scanned.nextIndex;
        options.corrupt({ segment: segment.name, offset: scanned.end, lostFrames });
      }
    }
  } finally {
    await file.close();
  }
}
