import path from 'node:path';
import { consoleHosts } from '../../aws/hosts.ts';
import { realDisk } from '../../base/disk.ts';
import { temporaryFolder } from '../../base/temporary-folder.ts';
import { keyPem, newKey } from '../../control/ca/key.ts';
import { signCertificate } from '../../control/ca/sign.ts';
import { withStandIn } from '../../control/extra/stand-in-files.ts';
import { extraResources, unrecordedListeners } from '../../control/extra/with-extras.ts';
import { bootstrap } from '../../control/resources/bootstrap.ts';
import { nodeResources } from '../../control/resources/node-resources.ts';
import { checkReferences } from '../../control/resources/references.ts';
import type { KeyPair } from '../../control/resources/secrets.ts';
import { staticConfig } from '../../control/resources/static-config.ts';
import type { Policy } from '../../policy/policy.types.ts';
import { envoyAtHand } from '../envoy/find-envoy.ts';
import { validateConfig } from '../envoy/validate-config.ts';
import { answer, aside, exitCodes } from './print.ts';
import { policyOrProblems } from './read-policy.ts';

/** `sekisho check`: what is wrong with the policy, and what a real Envoy says of the resources that come of it. */
export async function check(options: {
  readonly config: string;
  readonly envoy: boolean;
  readonly env: Readonly<Record<string, string | undefined>>;
}): Promise<number> {
  const policy = await policyOrProblems(options.config, answer);
  if (!policy) return exitCodes.badNews;
  const envoy = options.envoy ? await envoyAtHand({ env: options.env }) : undefined;
  if (options.envoy && !envoy)
    aside('no Envoy is at hand, so none was asked (SEKISHO_ENVOY or PATH; sekisho demo installs one)');
  const complaints = envoy ? await complaintsOf(envoy.path, policy) : [];
  for (const complaint of complaints) answer(`${options.config}:1:1: ${complaint}`);
  if (complaints.length > 0) return exitCodes.badNews;
  const hosts = consoleHosts(policy.console).admitted.length;
  const asked = envoy ? `, accepted by Envoy ${envoy.version}` : '';
  const extra = policy.resources.length === 0 ? '' : `, ${policy.resources.length} extra resources`;
  answer(`${options.config}: good — ${policy.doors.length} doors, ${hosts} hosts${extra}${asked}`);
  for (const { name, reason } of unrecordedListeners(policy)) answer(`without a record: listener ${name} — ${reason}`);
  return exitCodes.good;
}

/** Each group's resources in the words in which Envoy refuses them; none where it accepts them. */
async function complaintsOf(envoy: string, policy: Policy): Promise<string[]> {
  const folder = await temporaryFolder('sekisho-check-');
  try {
    const pair = await throwaway(folder.path);
    const hosts = consoleHosts(policy.console).admitted;
    const keys = new Map(policy.doors.map(({ name, tls }) => [name, { leaf: pair, ...(tls && { proxy: pair }) }]));
    const complaints: string[] = [];
    const standIn = { certificate: path.join(folder.path, 'node.crt'), key: path.join(folder.path, 'node.key') };
    for (const group of policy.fleet.groups) {
      const ours = nodeResources({ policy, hosts, group: group.name, source: group.nodes[0]?.source, keys });
      const extra = extraResources(policy, group.name).map((one) => withStandIn(one, standIn));
      const resources = [...ours, ...extra];
      checkReferences(resources);
      const start = bootstrap(policy, 'check', { pki: folder.path, admin: { host: '127.0.0.1', port: 9901 } });
      const configFile = path.join(folder.path, `${group.name}.json`);
      await realDisk.writeFileAtomic(configFile, JSON.stringify(staticConfig(resources, start)), 0o600);
      const complaint = await validateConfig({ path: envoy, configFile });
      if (complaint !== undefined) complaints.push(`Envoy refuses what group ${group.name} gets: ${complaint}`);
    }
    return complaints;
  } finally {
    await folder.remove();
  }
}

/** A certificate that nobody trusts, so that Envoy has something to read where the console CA's would be. */
async function throwaway(folder: string): Promise<KeyPair> {
  const key = await newKey();
  const hour = 3_600_000;
  const life = { notBefore: new Date(Date.now() - hour), notAfter: new Date(Date.now() + hour) };
  const certificate = await signCertificate({ key, subject: { commonName: 'check' }, ...life });
  const pair = { certificateChain: certificate.toString(), privateKey: keyPem(key) };
  await realDisk.writeFileAtomic(path.join(folder, 'node.crt'), pair.certificateChain, 0o600);
  await realDisk.writeFileAtomic(path.join(folder, 'fleet-ca.crt'), pair.certificateChain, 0o600);
  await realDisk.writeFileAtomic(path.join(folder, 'node.key'), pair.privateKey, 0o600);
  return pair;
}
