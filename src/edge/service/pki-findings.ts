import { constraintNames, consoleHosts } from '../../aws/hosts.ts';
import { realDisk } from '../../base/disk.ts';
import type { Log } from '../../base/log.ts';
import type { ConsoleCa } from '../../control/ca/console-ca.ts';
import { keyFindings } from '../../control/ca/key-findings.ts';
import { caFacts } from '../../control/door-names.ts';
import type { Policy } from '../../policy/policy.types.ts';

/** Warns of what lies in the pki folder and makes a stolen server worth more than it has to be: keys, and names that the CA may sign for. */
export async function warnOfPki(pki: string, policy: Policy, ca: ConsoleCa | undefined, log: Log): Promise<void> {
  for (const finding of await keyFindings(pki, realDisk)) log.warn(finding);
  if (ca === undefined) return;
  const { hosts, addresses } = caFacts(policy, constraintNames(consoleHosts(policy.console).admitted));
  const difference = ca.differenceFrom(hosts, addresses);
  if (difference === undefined) return;
  log.warn(`the console intermediate ${difference} — run sekisho ca init where the offline folder is`);
}
