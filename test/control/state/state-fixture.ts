import type { TestContext } from 'node:test';
import { systemClock } from '../../../src/base/clock.ts';
import { realDisk } from '../../../src/base/disk.ts';
import { openPrivateState, openSharedState } from '../../../src/control/state/open-state.ts';
import type { StateFolder } from '../../../src/control/state/state-folder.ts';
import { atEnd } from '../../support/serve.ts';

export const times = { termMs: 10_000, marginMs: 5_000 };

/** The state of a process that has its folder to itself. */
export async function aloneState(t: TestContext, folder: string): Promise<StateFolder> {
  const state = await openPrivateState({ folder, ...common, name: 'alone' });
  atEnd(t, () => state.close());
  return state;
}

/** The state of one among several, whose clock stands until it is moved. */
export async function sharedState(
  t: TestContext,
  folder: string,
  name: string,
  clock: { readonly at: number },
): Promise<StateFolder> {
  const state = await openSharedState({ folder, ...common, name, times, elapsed: () => clock.at });
  atEnd(t, () => state.close());
  return state;
}

const common = { fleet: 'tokyo', disk: realDisk, now: () => systemClock.now() };
