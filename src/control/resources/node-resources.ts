import { SekishoError } from '../../base/errors.ts';
import type { TypedJson } from '../../wire/proto-json.ts';
import type { Door, Policy } from '../../policy/policy.types.ts';
import { directListener } from './direct-door.ts';
import { forwardListener, insideListener, toInside } from './forward-door.ts';
import { connectRoutes, httpRoutes } from './routes.ts';
import { doorSecrets, type DoorKeys } from './secrets.ts';
import { typeUrls } from './types.ts';
import { pinnedEndpoints, upstreamClusters } from './upstream.ts';

/** All that decides what a node gets. Nodes for which these are equal get the same resources. */
export interface NodeFacts {
  readonly policy: Policy;
  /** The admitted hosts, exact or `*.` with one label. */
  readonly hosts: readonly string[];
  /** The node's group; its doors are the ones that the node opens. */
  readonly group: string;
  /** The local address from which the node dials. */
  readonly source?: string | undefined;
  /** The certificates, by door name. */
  readonly keys: ReadonlyMap<string, DoorKeys>;
}

/** All that Sekisho itself tells one Envoy, in Envoy's own words. `control/extra` puts the user's own beside it. */
export function nodeResources({ policy, hosts, group, source, keys }: NodeFacts): TypedJson[] {
  const doors = policy.doors.filter((door) => door.on === group);
  const proxies = doors.filter((door) => door.kind === 'forward');
  const inspections = new Set(doors.map((door) => door.inspect));
  return [
    ...typed(typeUrls.cluster, [...proxies.map(toInside), ...upstreamClusters(policy, inspections, source)]),
    ...typed(typeUrls.endpoints, doors.length > 0 ? pinnedEndpoints(policy) : []),
    ...typed(
      typeUrls.listener,
      doors.flatMap((door) => listenersOf(door, policy, hosts)),
    ),
    ...typed(typeUrls.routes, [
      ...proxies.map((door) => connectRoutes(door, policy, hosts)),
      ...doors.filter((door) => door.inspect === 'full').map((door) => httpRoutes(door, policy, hosts)),
    ]),
    ...typed(
      typeUrls.secret,
      doors.flatMap((door) => doorSecrets(door, keysOf(door, keys))),
    ),
  ];
}

function listenersOf(door: Door, policy: Policy, hosts: readonly string[]): object[] {
  return door.kind === 'forward'
    ? [forwardListener(door, policy), insideListener(door, policy, hosts)]
    : [directListener(door, policy, hosts)];
}

function keysOf(door: Door, keys: ReadonlyMap<string, DoorKeys>): DoorKeys {
  const found = keys.get(door.name);
  if (!found) throw new SekishoError('internal', `there is no certificate for the door ${door.name}`);
  return found;
}

function typed(type: string, resources: readonly object[]): TypedJson[] {
  return resources.map((resource) => ({ '@type': type, ...resource }));
}
