import { SekishoError } from '../../base/errors.ts';
import type { Assurance, Policy } from '../../policy/policy.types.ts';
import type { TypedJson } from '../../wire/proto-json.ts';
import { nodeResources, type NodeFacts } from '../resources/node-resources.ts';
import { typeUrls } from '../resources/types.ts';
import type { Extra } from './extra.types.ts';
import { readExtra } from './read-extra.ts';
import { recordedListener } from './recorded-listener.ts';

/** Everything that one Envoy is told: ours as it is, and the user's own behind it. */
export function withExtras(facts: NodeFacts): TypedJson[] {
  return [...nodeResources(facts), ...extraResources(facts.policy, facts.group)];
}

/**
 * The user's own resources for the nodes of a group, their listeners with our loggers unless the policy says why not.
 * @throws SekishoError resource_invalid for one that `extraProblems` would have refused by itself
 */
export function extraResources(policy: Policy, group: string): TypedJson[] {
  return policy.resources
    .filter(({ on }) => on === undefined || on === group)
    .map((source) => recorded(readExtra(source).extra, policy.record.assurance));
}

function recorded({ source, resource, type, name }: Extra, assurance: Assurance): TypedJson {
  const [fault] = readExtra(source).findings;
  if (fault !== undefined) throw refused(name, fault.message);
  if (type !== typeUrls.listener || source.unrecorded !== undefined) return resource;
  const { listener, blind } = recordedListener(resource, name, assurance);
  if (blind[0] !== undefined) throw refused(name, blind[0].message);
  return listener;
}

function refused(name: string, why: string): SekishoError {
  return new SekishoError('resource_invalid', `the extra resource "${name}" cannot be served: ${why}`, {
    facts: { name },
  });
}

/** A listener of which no record will be kept, and why. */
export interface UnrecordedListener {
  readonly name: string;
  readonly reason: string;
}

/** For those who review what the policy lets pass. */
export function unrecordedListeners(policy: Policy): UnrecordedListener[] {
  return policy.resources.flatMap((source) => {
    const { type, name } = readExtra(source).extra;
    if (type !== typeUrls.listener || source.unrecorded === undefined) return [];
    return [{ name, reason: source.unrecorded }];
  });
}
