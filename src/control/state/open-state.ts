import type { Disk, FolderLock } from '../../base/disk.types.ts';
import { nextLease } from './entry-names.ts';
import { leaseTimes, type LeaseTimes } from './judge.ts';
import { Lease } from './lease.ts';
import { StateFolder, type Tenure } from './state-folder.ts';

export interface OpenStateOptions {
  readonly folder: string;
  readonly fleet: string;
  /** Of this process, for people. */
  readonly name: string;
  readonly disk: Disk;
  readonly now: () => number;
}

/** Opens a folder that no other process opens. Throws `folder_in_use` where one does, `state_invalid` for the folder of another fleet. */
export async function openPrivateState(options: OpenStateOptions): Promise<StateFolder> {
  const { folder, disk, now } = options;
  await disk.makeDir(folder, 0o700);
  const lock = await disk.lockFolder(folder);
  const lease = nextLease(await disk.list(folder));
  const since = new Date(now()).toISOString();
  return opened(new StateFolder({ ...options, tenure: whole(lock, lease, { name: options.name, since }) }));
}

/** Opens a folder that other control planes of the fleet open, too, from this host or from others. Throws `state_invalid` for the folder of another fleet. */
export async function openSharedState(
  options: OpenStateOptions & { readonly elapsed: () => number; readonly times?: LeaseTimes },
): Promise<StateFolder> {
  const { folder, disk, times = leaseTimes } = options;
  await disk.makeDir(folder, 0o700);
  return opened(new StateFolder({ ...options, tenure: new Lease({ ...options, times }) }));
}

async function opened(state: StateFolder): Promise<StateFolder> {
  try {
    await state.open();
    return state;
  } catch (caught) {
    await state.close();
    throw caught;
  }
}

/** Who has the folder to himself needs no lease, only a number for it. */
function whole(lock: FolderLock, lease: number, holder: { readonly name: string; readonly since: string }): Tenure {
  return { held: lease, holder, look: () => Promise.resolve(), release: () => lock.release() };
}
