import type { Difference } from './difference.ts';
import { goal, type StreamView } from './next-response.ts';
import type { TypeState } from './type-state.types.ts';
import { endpointType } from './type-urls.ts';

/**
 * A changed cluster warms until its endpoints come once more, even if they are the same, and Envoy does not ask for what it asked for
 * before; nor does it acknowledge the cluster until then. Source: "xDS REST and gRPC protocol", Resource warming.
 * Endpoints are taken to have the name of their cluster, as they do unless `service_name` says otherwise.
 */
export function askForEndpoints(view: StreamView, clusters: TypeState, { changed }: Difference): void {
  const endpoints = view.states.get(endpointType);
  if (!endpoints) return;
  for (const { name, version } of changed) {
    const held = clusters.holding.held.get(name)?.version;
    const isChange = held !== undefined && held !== version;
    if (isChange && endpoints.subscription.wants(name) && goal(view, endpoints).has(name))
      endpoints.subscription.ask(name);
  }
}
