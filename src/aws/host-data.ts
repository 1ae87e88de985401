import data from './console-hosts.json' with { type: 'json' };

/**
 * How Sekisho treats a host that AWS, or a console page, names.
 * - `admitted`: on the list, at the depth at which it stands.
 * - `one-label`: AWS promises the suffix at any depth; one label before it is on the list, deeper names are refused.
 * - `if-named`: on the list only where the policy's `console.also` names it.
 */
export type HostTreatment = 'admitted' | 'one-label' | 'if-named';

export interface ListedHost {
  /** A host pattern, with `{region}` where a region's name stands. */
  readonly pattern: string;
  readonly treatment: HostTreatment;
  readonly purpose: string;
  /** Key of the document in `hostSources`. */
  readonly source: string;
  /** Month in which the source was last looked at, `2026-11`. */
  readonly date: string;
}

export interface AwsPartition {
  readonly name: string;
  /** The region whose console serves what has no region; its names are always needed. */
  readonly home: string;
  readonly regions: readonly string[];
  readonly hosts: readonly ListedHost[];
}

export interface HostSource {
  readonly title: string;
  /** Empty where there is no one document. */
  readonly url: string;
  readonly date: string;
  /** read: the document itself; excerpt: a part of it; unconfirmed: seen in use, in no document of AWS. */
  readonly evidence: string;
}

export const partitions: readonly AwsPartition[] = data.partitions.map((partition) => ({
  ...partition,
  hosts: partition.hosts.map((host) => ({ ...host, treatment: treatmentOf(host.treatment) })),
}));

export const hostSources: Readonly<Record<string, HostSource>> = data.sources;

/** The partition of a region, or undefined for a region that the data does not know. */
export function partitionOf(region: string): AwsPartition | undefined {
  return partitions.find((partition) => partition.regions.includes(region));
}

function treatmentOf(text: string): HostTreatment {
  if (text === 'admitted' || text === 'one-label' || text === 'if-named') return text;
  throw new TypeError(`console-hosts.json: unknown treatment "${text}"`);
}
