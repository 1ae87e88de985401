import { hostAdmitted, minimalPatterns } from './host-pattern.ts';
import type { HostPattern } from './host-pattern.ts';
import { partitions as allPartitions } from './host-data.ts';
import type { AwsPartition, ListedHost } from './host-data.ts';

export { certificateNames, constraintNames, hostAdmitted } from './host-pattern.ts';
export type { HostPattern } from './host-pattern.ts';

/** What a policy's `console:` says about hosts. Names that the data does not know are passed over. */
export interface HostChoice {
  readonly partitions: readonly string[];
  readonly regions: readonly string[];
  readonly also: readonly HostPattern[];
}

export interface ConsoleHosts {
  /** What the doors let through: sorted, without doubles, minimal. */
  readonly admitted: readonly HostPattern[];
  /** What AWS lists for these partitions and the doors refuse, because the policy does not name it. */
  readonly named: readonly UnnamedHost[];
}

export interface UnnamedHost {
  readonly pattern: HostPattern;
  readonly partition: string;
  readonly purpose: string;
}

/** The hosts of the console in these partitions and regions, and the further ones that the policy names. */
export function consoleHosts(choice: HostChoice): ConsoleHosts {
  const chosen = allPartitions.filter((partition) => choice.partitions.includes(partition.name));
  const listed = chosen.flatMap((partition) => expand(partition, choice.regions));
  const admitted = minimalPatterns([
    ...listed.filter((host) => host.treatment !== 'if-named').map((host) => host.pattern),
    ...choice.also.map((pattern) => pattern.toLowerCase()),
  ]);
  const named = listed
    .filter((host) => host.treatment === 'if-named' && !covered(admitted, host.pattern))
    .map(({ pattern, partition, purpose }) => ({ pattern, partition, purpose }));
  return { admitted, named };
}

/**
 * One entry per region. The home region is always among them: consoles of global services, such as IAM, live there
 * (source private-access-dns: us-east-1 has to be set up whatever regions are used).
 */
function expand(partition: AwsPartition, regions: readonly string[]): (ListedHost & { partition: string })[] {
  const used = partition.regions.filter((region) => region === partition.home || regions.includes(region));
  return partition.hosts.flatMap((host) => {
    const patterns = host.pattern.includes('{region}')
      ? used.map((region) => host.pattern.replaceAll('{region}', region))
      : [host.pattern];
    return patterns.map((pattern) => ({ ...host, pattern, partition: partition.name }));
  });
}

function covered(admitted: readonly HostPattern[], pattern: HostPattern): boolean {
  return admitted.includes(pattern) || (!pattern.startsWith('*.') && hostAdmitted(admitted, pattern));
}
