import type { NodeInfo } from '../../wire/node-info.ts';
import type { ResourceState, StreamState } from './stream-state.ts';

/** One client with all its streams. */
export interface NodeState {
  readonly node: NodeInfo;
  /** By type and name. */
  resources(): ResourceState[];
}

/**
 * The clients behind the streams, by node id. Without the aggregated service a client has a stream for each type, or more; during a hot restart
 * two processes have one each. Of two streams that ask for the same resource the newer one is the node.
 */
export function nodeStates(streams: Iterable<StreamState>): NodeState[] {
  const ofNode = new Map<string, StreamState[]>();
  for (const stream of streams) {
    const known = ofNode.get(stream.node.id);
    if (known) known.push(stream);
    else ofNode.set(stream.node.id, [stream]);
  }
  return [...ofNode.values()]
    .map((known) => known.sort((a, b) => b.stream - a.stream))
    .flatMap((newestFirst) => {
      const [newest] = newestFirst;
      return newest ? [{ node: newest.node, resources: () => resourcesOf(newestFirst) }] : [];
    })
    .sort((a, b) => order(a.node.id, b.node.id));
}

function resourcesOf(newestFirst: readonly StreamState[]): ResourceState[] {
  const found = new Map<string, ResourceState>();
  for (const stream of newestFirst) {
    for (const state of stream.resources()) {
      const key = `${state.type} ${state.name}`;
      if (!found.has(key)) found.set(key, state);
    }
  }
  return [...found.values()].sort((a, b) => order(a.type, b.type) || order(a.name, b.name));
}

function order(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
