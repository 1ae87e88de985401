import { SekishoError } from '../../base/errors.ts';
import { memberOf } from '../../policy/membership.ts';
import type { Door, Policy } from '../../policy/policy.types.ts';
import type { Caller } from './caller.ts';

/**
 * The door that a caller asks about, if it may: a node that opens this door. While a change is on its way, one node has a door by the policy of before and
 * another one by that of the file; the first that has it counts.
 * @throws SekishoError node_unknown, identity_mismatch (a door of other nodes) or request_malformed (no such door)
 */
export function doorAsked(
  policies: readonly [Policy, ...Policy[]],
  caller: Caller,
  name: string,
  fits: (door: Door) => boolean = () => true,
): Door {
  const opens = (policy: Policy): boolean => {
    const group = caller.kind === 'certificate' ? memberOf(policy, caller.node)?.group.name : undefined;
    const door = policy.doors.find((one) => one.name === name && fits(one));
    return door !== undefined && (caller.kind === 'loopback' || door.on === group);
  };
  return doorOf(policies.find(opens) ?? policies[0], caller, name, fits);
}

function doorOf(policy: Policy, caller: Caller, name: string, fits: (door: Door) => boolean): Door {
  const door = policy.doors.find((one) => one.name === name);
  if (caller.kind === 'certificate') {
    const member = memberOf(policy, caller.node);
    if (member === undefined) {
      const message = `the node ${caller.node} is none of the policy's — name it under fleet.nodes`;
      throw new SekishoError('node_unknown', message, { facts: { node: caller.node } });
    }
    if (door !== undefined && door.on !== member.group.name) {
      const message = `the node ${caller.node} asks for the door ${name}, which is one of other nodes`;
      throw new SekishoError('identity_mismatch', message, { facts: { node: caller.node, door: name } });
    }
  }
  if (door !== undefined && fits(door)) return door;
  // The name came over the wire; what is no door's is not repeated.
  throw new SekishoError(
    'request_malformed',
    'a node asks about a door that there is not, or for people of one that has none — wait until it has the new policy',
  );
}
