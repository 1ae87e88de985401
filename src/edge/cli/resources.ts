import { consoleHosts } from '../../aws/hosts.ts';
import { withExtras } from '../../control/extra/with-extras.ts';
import { memberOf } from '../../policy/membership.ts';
import { strangeNode } from './bootstrap.ts';
import { answer, aside, asYamlOrJson, exitCodes } from './print.ts';
import { policyOrProblems } from './read-policy.ts';

/** Stands where the running service puts what its console CA issued. */
const withheld = { certificateChain: '(issued by the console CA)', privateKey: '(withheld)' };

/** `sekisho resources`: what a node gets. Certificates are named and not shown, so the answer may be shared. */
export async function resources(options: {
  readonly node: string;
  readonly config: string;
  readonly output: string;
}): Promise<number> {
  const policy = await policyOrProblems(options.config, aside);
  if (!policy) return exitCodes.badNews;
  const member = memberOf(policy, options.node);
  if (!member) throw strangeNode(options.node, options.config);
  const keys = new Map(
    policy.doors.map(({ name, tls }) => [name, { leaf: withheld, ...(tls && { proxy: withheld }) }]),
  );
  const hosts = consoleHosts(policy.console).admitted;
  const what = withExtras({ policy, hosts, group: member.group.name, source: member.node?.source, keys });
  answer(asYamlOrJson(what, options.output));
  return exitCodes.good;
}
