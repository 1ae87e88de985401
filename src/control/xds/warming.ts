import type { Difference } from './difference.ts';
import { goal, type StreamView } from './next-response.ts';
import { referencesOf } from './references.ts';
import type { TypeState } from './type-state.types.ts';
import { endpointType } from './type-urls.ts';

/**
 * A changed cluster warms until its endpoints come once more, even if they are the same, and Envoy does not ask for what it asked for
 * before; nor does it acknowledge the cluster until then. Source: "xDS REST and gRPC protocol", Resource warming.
 */
export function askForEndpoints(view: StreamView, clusters: TypeState, { changed }: Difference): void {
  const endpoints = view.states.get(endpointType);
  if (!endpoints) return;
  for (const cluster of changed) {
    const held = clusters.holding.held.get(cluster.name)?.version;
    if (held === undefined || held === cluster.version) continue;
    for (const name of referencesOf(cluster).names.get(endpointType) ?? []) {
      if (endpoints.subscription.wants(name) && goal(view, endpoints).has(name)) endpoints.subscription.ask(name);
    }
  }
}
