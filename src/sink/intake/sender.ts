import { SekishoError } from '../../base/errors.ts';

/** How the sink knows who sends: by the client certificate's node id, or not at all, over loopback. */
export type Sender = { readonly kind: 'certificate'; readonly node: string } | { readonly kind: 'loopback' };

export interface SenderRules {
  readonly identity: Sender;
  /** Whether the policy knows that node; every node, if absent. */
  readonly admits?: (node: string) => boolean;
}

const longestName = 255;

/**
 * Who sends, if the sink may take it from there. Throws SekishoError `record_malformed` where node or log have no name,
 * `identity_mismatch` (not the certificate's node) or `node_unknown` (not in the policy).
 */
export function acceptSender<T extends { readonly node: string; readonly log: string }>(
  claimed: T | undefined,
  { identity, admits }: SenderRules,
): T {
  if (claimed === undefined || !isName(claimed.node) || !isName(claimed.log)) throw anonymous();
  const { node } = claimed;
  if (identity.kind === 'certificate' && identity.node !== node) throw senderMismatch(node, identity.node);
  if (admits?.(node) === false) throw unknown(node);
  return claimed;
}

function isName(text: string): boolean {
  return text !== '' && text.length <= longestName;
}

/** `proven`: the node of the certificate, or of the same stream before. */
export function senderMismatch(claimed: string, proven: string): SekishoError {
  const shown = claimed.slice(0, longestName);
  return new SekishoError(
    'identity_mismatch',
    `Access logs say that they come from node ${JSON.stringify(shown)}, but they belong to ${proven}. ` +
      "Start Envoy with the node id that its certificate names, or give it that node's certificate.",
    { facts: { claimed: shown, proven } },
  );
}

function anonymous(): SekishoError {
  return new SekishoError(
    'record_malformed',
    'Access logs do not name their node and log at the beginning. Start Envoy with a node id (--service-node) ' +
      `and give the access logger a log_name; each has at most ${longestName} characters.`,
  );
}

function unknown(node: string): SekishoError {
  return new SekishoError(
    'node_unknown',
    `Node ${JSON.stringify(node)} sends access logs, but the policy has no such node. Add it under fleet.nodes, or stop that Envoy.`,
    { facts: { node } },
  );
}
