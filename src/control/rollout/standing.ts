import type { NodeJson } from '../fleet/fleet.types.ts';
import { referencesOfAll } from '../xds/references.ts';
import { extensionType, listenerType, routeType, secretType, shortType, type TypeUrl } from '../xds/type-urls.ts';
import { resourcesOf, type Snapshot } from '../xds/snapshot.ts';
import type { CanaryFacts } from './rollout.types.ts';

/**
 * How a node stands to the snapshot that it shall have. Envoy acknowledges a listener as soon as it is valid, and says nothing of its warming up. What tells of
 * that is whether it has asked for, and acknowledged, as many routes and secrets as the listeners refer to. Where secrets are withheld, Envoy hears that there
 * are none, acknowledges that, and opens a door that fails every handshake.
 */
export function standingOf(id: string, node: NodeJson | undefined, shall: Snapshot, now: number): CanaryFacts {
  if (node?.connected !== true) return { id, connected: false, lateMs: 0 };
  // That it has not been told yet is not its fault.
  if (node.target !== shall.version) return { id, connected: true, lacks: 'has not been told of it', lateMs: 0 };
  const lacks = lackOf(node, shall);
  const lateMs = node.targetSince === null ? 0 : now - Date.parse(node.targetSince);
  return { id, connected: true, lateMs, ...(lacks !== undefined && { lacks }) };
}

function lackOf(node: NodeJson, shall: Snapshot): string | undefined {
  if (node.running !== shall.version) {
    const open = node.types.filter(({ inStep }) => !inStep).map(({ type }) => type);
    return `has not acknowledged ${open.length > 0 ? open.join(', ') : 'it'}`;
  }
  const needed = neededBy(shall);
  const withheld = node.findings.some(({ code }) => code === 'secrets-withheld');
  if (withheld && needed(secretType) > 0) return 'gets no certificates over plain text, so its doors cannot answer';
  for (const type of [routeType, secretType, extensionType]) {
    const names = node.types.find((one) => one.type === shortType(type))?.names ?? 0;
    if (names < needed(type))
      return `asks for ${names} of ${needed(type)} ${shortType(type)}, so a listener stays warming`;
  }
  return undefined;
}

/** How many resources of a type the listeners of a snapshot refer to, of those that come with it. */
function neededBy(shall: Snapshot): (type: TypeUrl) => number {
  const { names } = referencesOfAll(resourcesOf(shall, listenerType), true);
  return (type) => [...(names.get(type) ?? [])].filter((name) => resourcesOf(shall, type).has(name)).length;
}
