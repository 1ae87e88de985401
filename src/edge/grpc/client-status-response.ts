import { setImmediate as turn } from 'node:timers/promises';
import { SekishoError } from '../../base/errors.ts';
import { stretchMs } from '../../base/stretch.ts';
import { nodeMatcher } from '../../control/xds/node-matcher.ts';
import { nodeStates, type NodeState } from '../../control/xds/node-states.ts';
import type { Publisher } from '../../control/xds/publisher.ts';
import { shownContent } from '../../control/xds/shown-content.ts';
import { decodeClientStatusRequest, encodeClientConfig, encodeGenericConfig } from '../../wire/client-status.ts';

/**
 * The ClientStatusResponse to a ClientStatusRequest, both as bytes.
 * @throws SekishoError request_malformed, and limit_exceeded where it would be larger than `responseBytes`
 */
export async function clientStatusResponse(
  request: Buffer,
  publisher: Publisher,
  { responseBytes }: { readonly responseBytes: number },
): Promise<Buffer> {
  const asked = decodeClientStatusRequest(request);
  const isMeant = nodeMatcher(asked);
  const response = new ResponseParts(responseBytes);
  let end = performance.now() + stretchMs;
  const breathe = async (): Promise<void> => {
    if (performance.now() < end) return;
    await turn();
    end = performance.now() + stretchMs;
  };
  for (const node of nodeStates(publisher.streams)) {
    await breathe();
    if (!isMeant(node.node.id)) continue;
    const rows: Buffer[] = [];
    for (const state of node.resources()) {
      await breathe();
      const { type, resource } = state;
      const content = resource && !asked.excludeContents ? shownContent(type, resource) : undefined;
      rows.push(response.counted(encodeGenericConfig({ ...state, content })));
    }
    response.add(node, rows);
  }
  return response.finish();
}

/** A response that may not grow beyond its limit, nor while it is made. */
class ResponseParts {
  readonly #limit: number;
  readonly #nodes: Buffer[] = [];
  /** Of the nodes so far, and with the rows of the next one. */
  #whole = 0;
  #bytes = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Throws `limit_exceeded`. */
  counted(row: Buffer): Buffer {
    this.#bytes += row.length;
    this.#check();
    return row;
  }

  add({ node }: NodeState, rows: readonly Buffer[]): void {
    const config = encodeClientConfig(node, rows);
    this.#whole += config.length;
    this.#bytes = this.#whole;
    this.#check();
    this.#nodes.push(config);
  }

  finish(): Buffer {
    return Buffer.concat(this.#nodes);
  }

  #check(): void {
    if (this.#bytes <= this.#limit) return;
    throw new SekishoError(
      'limit_exceeded',
      `The answer would have more than ${this.#limit} bytes, which hold ${this.#nodes.length} of the nodes; name fewer in node_matchers, or set exclude_resource_contents.`,
      { facts: { limit: this.#limit } },
    );
  }
}
