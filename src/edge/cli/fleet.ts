import { renderFleetTable } from '../../control/fleet/fleet-table.ts';
import type { FleetJson } from '../../control/fleet/fleet.types.ts';
import { askService } from './ask-service.ts';
import { answer, exitCodes } from './print.ts';

/** `sekisho fleet`: asks the running service. Exit 1 when a node is out of step or has a finding. */
export async function fleet(options: { readonly admin: string; readonly output: string }): Promise<number> {
  const found = await askService<FleetJson>(options.admin, '/fleet');
  const table = () => renderFleetTable(found, process.stdout.columns || 200);
  answer(options.output === 'json' ? JSON.stringify(found, null, 2) : table());
  return found.healthy ? exitCodes.good : exitCodes.badNews;
}
