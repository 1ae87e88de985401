import type { Disk } from '../../base/disk.ts';
import type { Pulse } from './pulse.ts';

/** The journal of this process, as those see it who read along. */
export interface FollowedJournal {
  readonly dir: string;
  readonly disk: Disk;
  readonly nextIndex: () => number;
  /** Beats after each commit. */
  readonly pulse: Pulse;
}
