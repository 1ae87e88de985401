import { partitionOf } from '../../aws/host-data.ts';
import { consoleHosts, hostAdmitted } from '../../aws/hosts.ts';
import type { Draft } from '../draft.ts';
import { items, namedNodes } from '../draft.ts';
import { limits } from '../limits.ts';
import { type Finding, finding, pathText } from '../problem.ts';
import { isLoopback, isUnspecified, socketText } from '../socket-address.ts';
import type { SocketAddress } from '../policy.types.ts';
import { nearest } from '../suggest.ts';

/** Regions, hosts and pins that do not go together. */
export function checkConsole(draft: Draft): Finding[] {
  return [...tooManyPins(draft), ...foreignRegions(draft), ...strayPins(draft), ...loops(draft)];
}

function tooManyPins(draft: Draft): Finding[] {
  const count = Object.keys(draft.console?.pins ?? {}).length;
  if (count <= limits.pins) return [];
  const message = `${count} pins, at most ${limits.pins} may be`;
  return [finding('limit', ['console', 'pins'], message, 'answer for the other hosts by DNS, with console.resolvers')];
}

function foreignRegions(draft: Draft): Finding[] {
  const chosen = draft.console?.partitions;
  if (chosen === undefined || chosen.includes(undefined)) return [];
  return items(draft.console?.regions).flatMap(({ value: region, index }) => {
    const partition = partitionOf(region)?.name;
    if (partition === undefined || chosen.includes(partition)) return [];
    const message = `${region} belongs to partition ${partition}, which console.partitions does not name`;
    const remedy = `add ${partition} to console.partitions, or remove the region`;
    return [finding('conflict', ['console', 'regions', index], message, remedy)];
  });
}

/** Only where all that makes the list of hosts could be read; else a slip there would be told twice. */
function strayPins(draft: Draft): Finding[] {
  const { partitions: chosen, regions, also, pins } = draft.console ?? {};
  if (chosen === undefined || regions === undefined || also === undefined || pins === undefined) return [];
  if ([...chosen, ...regions, ...also].includes(undefined)) return [];
  const { admitted } = consoleHosts({
    partitions: defined(chosen),
    regions: defined(regions),
    also: defined(also),
  });
  return Object.keys(pins).flatMap((host): Finding[] => {
    if (admitted.includes(host) || (!host.startsWith('*.') && hostAdmitted(admitted, host))) return [];
    const near = nearest(host, admitted);
    const remedy = `add it to console.also${near === undefined ? '' : `, or write "${near}"`}`;
    const message = `"${host}" is pinned, but the doors do not let it through`;
    return [{ path: ['console', 'pins', host], at: 'key', code: 'conflict', message, remedy }];
  });
}

/** A pin to a door would send a request round in circles until Envoy runs out of connections. */
function loops(draft: Draft): Finding[] {
  const own = new Set(namedNodes(draft).flatMap(({ address, source }) => [address, source]));
  return Object.entries(draft.console?.pins ?? {}).flatMap(([host, endpoints]) =>
    items(endpoints).flatMap(({ value: endpoint, index }) => {
      const door = items(draft.doors).find(
        ({ value }) => value.listen !== undefined && meets(endpoint, value.listen, own),
      );
      if (door === undefined) return [];
      const path = ['console', 'pins', host, index];
      const message = `${socketText(endpoint)} is ${pathText(['doors', door.index])} itself`;
      return [finding('loop', path, message, 'write the address of the console, such as that of its VPC endpoint')];
    }),
  );
}

function meets(endpoint: SocketAddress, listen: SocketAddress, own: ReadonlySet<string | undefined>): boolean {
  if (endpoint.port !== listen.port) return false;
  return isLoopback(endpoint) || isUnspecified(endpoint) || endpoint.host === listen.host || own.has(endpoint.host);
}

function defined<T>(list: readonly (T | undefined)[]): T[] {
  return list.filter((item) => item !== undefined);
}
