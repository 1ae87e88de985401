import type { LeaseStanding } from './shared-state.types.ts';

/** What `sekisho fleet -o json` says of the lease of a shared state directory. */
export interface LeaseJson {
  /** Name of the control plane that was asked: host and process. */
  readonly name: string;
  readonly held: boolean;
  /** Who holds it, and since when (RFC 3339 in UTC, by the clock of its host); null where nobody is known to. */
  readonly holder: string | null;
  readonly since: string | null;
}

export function leaseJson({ held, name, holder }: LeaseStanding): LeaseJson {
  return { name, held, holder: holder?.name ?? null, since: holder?.since ?? null };
}

/** The same as a line for people. */
export function leaseLine({ name, held, holder, since }: LeaseJson): string {
  const then = since?.replace(/\.\d+Z$/, 'Z') ?? '';
  if (held) return `Control plane ${name} holds the lease since ${then}.\n`;
  return `Control plane ${name} serves; the lease is held by ${holder === null ? 'nobody' : `${holder} since ${then}`}.\n`;
}
