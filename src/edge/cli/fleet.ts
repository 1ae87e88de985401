import { userInfo } from 'node:os';
import { renderFleetTable } from '../../control/fleet/fleet-table.ts';
import type { FleetJson } from '../../control/fleet/fleet.types.ts';
import type { RolloutCommand, RolloutJson } from '../../control/rollout/rollout.types.ts';
import { operatorHeader } from '../http/admin-server.ts';
import { leaseLine, type LeaseJson } from '../../control/state/lease-json.ts';
import { askService } from './ask-service.ts';
import { answer, aside, exitCodes } from './print.ts';

interface Asking {
  readonly admin: string;
  readonly output: string;
}

type Found = FleetJson & { readonly rollout?: RolloutJson | null; readonly lease?: LeaseJson | null };

/** `sekisho fleet`: asks the running service. Exit 1 when a node is out of step or has a finding, or the policy of the file was rolled back. */
export async function fleet(options: Asking): Promise<number> {
  const found = await askService<Found>(options.admin, '/fleet');
  print(found, options);
  return found.healthy ? exitCodes.good : exitCodes.badNews;
}

/** `sekisho fleet pause|resume|rollback`: tells the running service, and prints the fleet as it is then. Exit 1 when there was nothing to do. */
export async function commandFleet(command: RolloutCommand, options: Asking): Promise<number> {
  const headers = { [operatorHeader]: encodeURIComponent(userInfo().username) };
  const told = await askService<{ done: boolean; fleet: Found }>(options.admin, `/fleet/${command}`, {
    method: 'POST',
    headers,
  });
  print(told.fleet, options);
  if (told.done) return exitCodes.good;
  aside(`sekisho: there is nothing to ${nothing[command]}`);
  return exitCodes.badNews;
}

const nothing: Readonly<Record<RolloutCommand, string>> = {
  pause: 'pause: no change is on trial, or it is paused',
  resume: 'resume: no change is paused, and none was rolled back',
  force: 'resume: no change is on trial, and none was rolled back',
  rollback: 'roll back: no change is on trial, and none has gone on to all nodes',
};

function print(found: Found, { output }: Asking): void {
  const width = process.stdout.columns || 200;
  const table = () => renderFleetTable(found, width) + (found.lease ? leaseLine(found.lease) : '');
  answer(output === 'json' ? JSON.stringify(found, null, 2) : table());
}
