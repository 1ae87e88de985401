import { isIP } from 'node:net';

/**
 * A host name in lower case, or `*.` and a host name, where `*` stands for exactly one label. That is what a wildcard
 * in a certificate covers (RFC 9525 section 6.3), so that a leaf with these names covers what is admitted, and no more.
 */
export type HostPattern = string;

/** Why a text is no host pattern, and what to write instead. */
export interface HostRefusal {
  readonly refused: string;
  readonly remedy: string;
}

/** Whether a host is one of those that the pattern names. Letter case does not matter, a trailing dot does. */
export function matchesHost(pattern: HostPattern, host: string): boolean {
  const name = host.toLowerCase();
  if (!isHostName(name)) return false;
  if (!pattern.startsWith('*.')) return name === pattern;
  return name.slice(name.indexOf('.') + 1) === pattern.slice(2) && name.includes('.');
}

export function hostAdmitted(patterns: readonly HostPattern[], host: string): boolean {
  return patterns.some((pattern) => matchesHost(pattern, host));
}

/** Sorted, without doubles, and without hosts that a wildcard of the list covers at the same depth. */
export function minimalPatterns(patterns: readonly HostPattern[]): readonly HostPattern[] {
  const all = new Set(patterns);
  return [...all].filter((pattern) => pattern.startsWith('*.') || !all.has(wildcardOver(pattern))).sort();
}

/** The subject alternative names (dNSName) of a leaf certificate for these hosts. */
export function certificateNames(patterns: readonly HostPattern[]): readonly string[] {
  return minimalPatterns(patterns);
}

/**
 * The permitted dNSName subtrees (RFC 5280 section 4.2.1.10) of an authority for these hosts. A subtree takes in all
 * names below it, so a name below another is left out; the certificates stay at one label all the same.
 */
export function constraintNames(patterns: readonly HostPattern[]): readonly string[] {
  const bases = new Set(patterns.map((pattern) => (pattern.startsWith('*.') ? pattern.slice(2) : pattern)));
  return [...bases].filter((base) => !parents(base).some((parent) => bases.has(parent))).sort();
}

/** Reads a pattern that a person wrote. */
export function parseHostPattern(text: string): { readonly pattern: HostPattern } | HostRefusal {
  const pattern = text.toLowerCase();
  const host = pattern.startsWith('*.') ? pattern.slice(2) : pattern;
  if (host.includes('*')) {
    return { refused: `"${text}" has a * that is not the whole first label`, remedy: 'write a host, or *.HOST' };
  }
  if (isIP(host) !== 0) return { refused: `"${text}" is an address`, remedy: 'write the host name' };
  if (host.endsWith('.')) return { refused: `"${text}" ends with a dot`, remedy: `write "${text.slice(0, -1)}"` };
  if (!isHostName(host)) {
    return {
      refused: `"${text}" is no host name`,
      remedy: 'write labels of letters, digits and hyphens (other scripts as xn--…) without scheme, port or path',
    };
  }
  if (!host.includes('.')) {
    return { refused: `"${text}" has too few labels`, remedy: 'write the full name, such as "example.awsapps.com"' };
  }
  if (host !== pattern && isPublicSuffix(host)) {
    return {
      refused: `"${text}" takes in names of everyone under .${host}`,
      remedy: 'name the hosts, or a suffix that one owner holds',
    };
  }
  return { pattern };
}

/** A host name of letters, digits and hyphens in lower case (RFC 1123 section 2.1, lengths of RFC 1035 section 2.3.4). */
export function isHostName(text: string): boolean {
  return text.length <= 253 && text.split('.').every((label) => /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/.test(label));
}

/**
 * Second-level registries of country domains (co.uk, com.cn, or.jp). A guess by form, for there is no list of suffixes
 * here that would stay right: it catches the slip, not the will.
 */
function isPublicSuffix(host: string): boolean {
  return /^(ac|co|com|edu|gob|gov|go|mil|ne|net|or|org)\.[a-z]{2}$/.test(host);
}

function wildcardOver(host: string): string {
  return `*.${host.slice(host.indexOf('.') + 1)}`;
}

function parents(host: string): string[] {
  const labels = host.split('.');
  return labels.slice(1).map((_, index) => labels.slice(index + 1).join('.'));
}
