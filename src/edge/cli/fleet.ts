import { SekishoError } from '../../base/errors.ts';
import { renderFleetTable } from '../../control/fleet/fleet-table.ts';
import type { FleetJson } from '../../control/fleet/fleet.types.ts';
import { answer, exitCodes } from './print.ts';

/** `sekisho fleet`: asks the running service. Exit 1 when a node is out of step or has a finding. */
export async function fleet(options: { readonly admin: string; readonly output: string }): Promise<number> {
  const found = await ask(options.admin);
  const table = () => renderFleetTable(found, process.stdout.columns || 200);
  answer(options.output === 'json' ? JSON.stringify(found, null, 2) : table());
  return found.healthy ? exitCodes.good : exitCodes.badNews;
}

async function ask(admin: string): Promise<FleetJson> {
  const url = new URL('/fleet', admin);
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(5_000) });
    if (!response.ok) throw new Error(`it answered ${response.status}`);
    return (await response.json()) as FleetJson;
  } catch (caught) {
    const why = caught instanceof Error && caught.cause instanceof Error ? caught.cause.message : String(caught);
    throw new SekishoError(
      'server_unreachable',
      `no answer from ${url.href} (${why}) — is sekisho serve running? Name its address with --admin`,
      {
        cause: caught,
      },
    );
  }
}
