import { renderFleetTable } from '../../control/fleet/fleet-table.ts';
import type { FleetJson } from '../../control/fleet/fleet.types.ts';
import { leaseLine, type LeaseJson } from '../../control/state/lease-json.ts';
import { askService } from './ask-service.ts';
import { answer, exitCodes } from './print.ts';

/** `sekisho fleet`: asks the running service. Exit 1 when a node is out of step or has a finding. */
export async function fleet(options: { readonly admin: string; readonly output: string }): Promise<number> {
  const found = await askService<Found>(options.admin, '/fleet');
  const width = process.stdout.columns || 200;
  const table = () => renderFleetTable(found, width) + (found.lease ? leaseLine(found.lease) : '');
  answer(options.output === 'json' ? JSON.stringify(found, null, 2) : table());
  return found.healthy ? exitCodes.good : exitCodes.badNews;
}

type Found = FleetJson & { readonly lease?: LeaseJson | null };
