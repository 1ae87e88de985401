import { consoleHosts } from '../../aws/hosts.ts';
import type { DoorCertificates } from '../../control/ca/door-certificates.ts';
import { doorNames } from '../../control/door-names.ts';
import { plan, type Plan } from '../../control/plan.ts';
import type { DoorKeys } from '../../control/resources/secrets.ts';
import { policyId } from '../../control/rollout/kept-policy.ts';
import type { Revision } from '../../control/rollout/reach.ts';
import type { Policy } from '../../policy/policy.types.ts';

/** Works out what nodes get by a policy, under the certificates of now. What equals a part of `like` is that part. */
export async function buildRevision(policy: Policy, certificates: DoorCertificates, like?: Plan): Promise<Revision> {
  const { admitted } = consoleHosts(policy.console);
  const keys = await doorKeys(policy, admitted, certificates);
  return { id: policyId(policy.source), policy, plan: plan({ policy, hosts: admitted, keys, previous: like }) };
}

/** The leaves of every door: in place of the console, and as a proxy where it speaks TLS itself. */
async function doorKeys(
  policy: Policy,
  hosts: readonly string[],
  certificates: DoorCertificates,
): Promise<Map<string, DoorKeys>> {
  const keys = new Map<string, DoorKeys>();
  for (const door of policy.doors) {
    const leaf = await certificates.leafFor(hosts);
    const own = doorNames(policy, door);
    keys.set(door.name, door.tls ? { leaf, proxy: await certificates.leafFor(own.hosts, own.addresses) } : { leaf });
  }
  return keys;
}
