import { isIPv4, isIPv6 } from 'node:net';
import { SekishoError } from '../../base/errors.ts';

/** A door as a browser is told of it. */
export interface PacDoor {
  /** Host name or IP address under which people reach the door; IPv6 without brackets. */
  readonly host: string;
  readonly port: number;
  /** Whether the door speaks TLS itself: `HTTPS` instead of `PROXY`. */
  readonly tls: boolean;
}

/**
 * A proxy auto-config script: the doors in order for every host that matches a pattern, and never DIRECT for those; DIRECT for all others.
 * A pattern is a host (`console.aws.amazon.com`) or `*.` and a host, where `*` stands for exactly one label, as in a certificate.
 *
 * The script keeps to ECMAScript 3, because that is what the script engines of old clients know, and calls none of the PAC functions.
 * Undefined for hosts without any door: a script that cannot name a door would have to lie. Throws `policy_invalid` for a pattern or door
 * that is none.
 */
export function proxyAutoConfig(options: {
  readonly hosts: readonly string[];
  readonly doors: readonly PacDoor[];
}): string | undefined {
  const { exact, parents } = sorted(options.hosts);
  const route = options.doors.map(directive).join('; ');
  if (route === '' && options.hosts.length > 0) return undefined;
  return `// The hosts below go through a door of Sekisho, all others go direct.
var door = ${JSON.stringify(route)};
var hosts = ${table(exact)};
// Any one label in front of these.
var parents = ${table(parents)};

function has(table, name) {
  return Object.prototype.hasOwnProperty.call(table, name);
}

function FindProxyForURL(url, host) {
  var name = String(host).toLowerCase().replace(/:[0-9]+$/, '').replace(/\\.$/, '');
  var dot = name.indexOf('.');
  if (has(hosts, name) || (dot > 0 && has(parents, name.substring(dot + 1)))) return door;
  return 'DIRECT';
}
`;
}

function sorted(patterns: readonly string[]): { exact: string[]; parents: string[] } {
  const exact: string[] = [];
  const parents: string[] = [];
  for (const pattern of patterns.map((each) => each.toLowerCase())) {
    const host = pattern.startsWith('*.') ? pattern.slice(2) : pattern;
    if (!isHostName(host)) {
      throw new SekishoError('policy_invalid', `'${pattern}' is no host pattern: write a host, or '*.' and a host`, {
        facts: { pattern },
      });
    }
    (host === pattern ? exact : parents).push(host);
  }
  return { exact, parents };
}

/** One hop in the words of a PAC; validated, because a `;` in it would add a hop. */
function directive(door: PacDoor): string {
  const isName = isIPv4(door.host) || isHostName(door.host.toLowerCase());
  const isPort = Number.isInteger(door.port) && door.port > 0 && door.port < 65_536;
  if (!(isName || isIPv6(door.host)) || !isPort) {
    throw new SekishoError('policy_invalid', `a PAC cannot name the door at '${door.host}' port ${door.port}`, {
      facts: { host: door.host, port: door.port },
    });
  }
  return `${door.tls ? 'HTTPS' : 'PROXY'} ${isName ? door.host : `[${door.host}]`}:${door.port}`;
}

/** Labels of letters, digits and inner `-`, at most 63 each and 253 together (RFC 1123 section 2.1, RFC 1035 section 2.3.4). */
function isHostName(host: string): boolean {
  return host.length <= 253 && host.split('.').every((label) => /^(?!-)[a-z0-9-]{1,63}(?<!-)$/.test(label));
}

/** A literal with one name per line, to be read by people and looked up in constant time. */
function table(names: readonly string[]): string {
  const lines = [...new Set(names)].sort().map((name) => `  ${JSON.stringify(name)}: 1`);
  return lines.length === 0 ? '{}' : `{\n${lines.join(',\n')}\n}`;
}
