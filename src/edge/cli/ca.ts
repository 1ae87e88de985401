import path from 'node:path';
import { constraintNames, consoleHosts } from '../../aws/hosts.ts';
import { systemClock } from '../../base/clock.ts';
import { realDisk } from '../../base/disk.ts';
import type { Identity } from '../../control/ca/identity.ts';
import { initCa } from '../../control/ca/init-ca.ts';
import { issueClient } from '../../control/ca/issue-client.ts';
import { caFacts } from '../../control/door-names.ts';
import { memberOf } from '../../policy/membership.ts';
import type { Policy } from '../../policy/policy.types.ts';
import { strangeNode } from './bootstrap.ts';
import { answer, aside, exitCodes } from './print.ts';
import { policyOrProblems } from './read-policy.ts';

interface CaOptions {
  readonly config: string;
  readonly pki: string;
  readonly offline?: string;
}

/** `sekisho ca init`: both authorities and the server's certificate, as the policy wants them. */
export async function caInit(options: CaOptions): Promise<number> {
  const policy = await policyOrProblems(options.config, aside);
  if (!policy) return exitCodes.badNews;
  report(await initCa(folders(options), factsOf(policy), realDisk, systemClock));
  aside(`Keep ${folders(options).offline} where no service runs: whoever has it can sign for any site and any node.`);
  return exitCodes.good;
}

/** `sekisho ca node ID`: the folder that one Envoy needs. */
export async function caNode(id: string, options: CaOptions & { readonly out?: string }): Promise<number> {
  const policy = await policyOrProblems(options.config, aside);
  if (!policy) return exitCodes.badNews;
  if (!memberOf(policy, id)) throw strangeNode(id, options.config);
  await issue({ fleet: policy.fleet.name, role: 'node', name: id }, options);
  return exitCodes.good;
}

/** `sekisho ca reader NAME`: the folder that a program needs which asks for records. */
export async function caReader(name: string, options: CaOptions & { readonly out?: string }): Promise<number> {
  const policy = await policyOrProblems(options.config, aside);
  if (!policy) return exitCodes.badNews;
  await issue({ fleet: policy.fleet.name, role: 'reader', name }, options);
  return exitCodes.good;
}

async function issue(identity: Identity, options: CaOptions & { readonly out?: string }): Promise<void> {
  const where = { ...folders(options), ...(options.out !== undefined && { out: options.out }) };
  const { files } = await issueClient(identity, where, realDisk, systemClock);
  report(files);
}

/** What a policy needs of the authorities. */
export function factsOf(policy: Policy): ReturnType<typeof caFacts> {
  return caFacts(policy, constraintNames(consoleHosts(policy.console).admitted));
}

function folders({ pki, offline }: CaOptions): { online: string; offline: string } {
  return { online: pki, offline: offline ?? path.join(pki, 'offline') };
}

function report(files: Awaited<ReturnType<typeof initCa>>): void {
  for (const { act, path: file, note } of files)
    answer(`${act.padEnd(9)} ${file}${note === undefined ? '' : ` (${note})`}`);
}
