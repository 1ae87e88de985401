import type { Door, Policy } from '../../policy/policy.types.ts';
import { isWildcard, wildcardRegex } from './server-name.ts';
import { nothingLeaves } from './authorization.ts';
import { names } from './names.ts';
import { refusalPage } from './refusal-page.ts';

/** The port of the console, and the only one that a CONNECT may ask for. */
const httpsPort = 443;

/** Routes of a forward door: CONNECT to an admitted host leads inside, all else is refused. */
export function connectRoutes(door: Door, policy: Policy, hosts: readonly string[]): object {
  const refused = refusal('host', nothingLeaves(door, policy));
  const tunnel = {
    route: {
      cluster: names.toInside(door.name),
      timeout: '0s',
      // A tunnel may be idle for as long as a browser keeps a console page open.
      idle_timeout: '3600s',
      upgrade_configs: [{ upgrade_type: 'CONNECT', connect_config: {} }],
    },
  };
  return {
    name: names.connectRoutes(door.name),
    virtual_hosts: [
      ...groups(hosts).map((group) => ({
        name: group.name,
        // CONNECT always carries the port (RFC 9110 §9.3.6).
        domains: group.hosts.map((host) => `${host}:${httpsPort}`),
        routes: [
          { name: 'inside', match: { connect_matcher: {}, ...onlyOneLabel(group, true) }, ...tunnel },
          ...refused,
        ],
      })),
      { name: 'refused', domains: ['*'], routes: refused },
    ],
  };
}

/** Routes inside: an admitted host leads to the console or to its pin, a WebSocket by HTTP/1.1. */
export function httpRoutes(door: Door, policy: Policy, hosts: readonly string[]): object {
  const refused = refusal('host', nothingLeaves(door, policy));
  const pinned = policy.console.pins.map((pin) => pin.host);
  const byDns = hosts.filter((host) => !pinned.includes(host));
  return {
    name: names.httpRoutes(door.name),
    virtual_hosts: [
      ...pinned.map((host) =>
        consoleHost({ name: names.pin(host), hosts: [host] }, names.pin(host), names.pinHttp1(host), refused),
      ),
      ...groups(byDns).map((group) => consoleHost(group, names.console, names.consoleHttp1, refused)),
      { name: 'refused', domains: ['*'], routes: refused },
    ],
  };
}

/** Hosts that one virtual host serves: all exact ones together, each wildcard alone with its regular expression. */
interface HostGroup {
  readonly name: string;
  readonly hosts: readonly string[];
}

function groups(hosts: readonly string[]): HostGroup[] {
  const exact = hosts.filter((host) => !isWildcard(host));
  return [
    ...(exact.length > 0 ? [{ name: 'admitted', hosts: exact }] : []),
    ...hosts.filter(isWildcard).map((host) => ({ name: `admitted ${host}`, hosts: [host] })),
  ];
}

function consoleHost(group: HostGroup, cluster: string, http1: string, refused: readonly object[]): object {
  const host = onlyOneLabel(group, false);
  const webSocket = { name: 'upgrade', string_match: { exact: 'websocket', ignore_case: true } };
  return {
    name: group.name,
    domains: group.hosts.flatMap((name) => [name, `${name}:${httpsPort}`]),
    routes: [
      {
        name: 'websocket',
        match: { prefix: '/', headers: [...(host.headers ?? []), webSocket] },
        route: { cluster: http1, timeout: '0s', idle_timeout: '3600s' },
      },
      { name: 'console', match: { prefix: '/', ...host }, route: { cluster, timeout: '0s' } },
      ...refused,
    ],
  };
}

/** The condition that makes Envoy's wildcard domain mean one label; exact hosts need none. */
function onlyOneLabel({ hosts }: HostGroup, portRequired: boolean): { headers?: object[] } {
  const [host] = hosts;
  if (host === undefined || !isWildcard(host)) return {};
  const regex = wildcardRegex(host, { number: httpsPort, required: portRequired });
  return { headers: [{ name: ':authority', string_match: { safe_regex: { regex } } }] };
}

/** 403 for whatever comes, with the reason on the record: a page for people, a line for what asks by CONNECT, for no browser shows that. */
function refusal(reason: string, settings: object): object[] {
  const answer = (body: string) => ({
    metadata: { filter_metadata: { sekisho: { denied: reason } } },
    ...settings,
    direct_response: { status: 403, body: { inline_string: body } },
  });
  return [
    {
      name: 'refused-connect',
      match: { connect_matcher: {} },
      ...answer('sekisho: this host is not on the list\n'),
    },
    {
      name: 'refused',
      match: { prefix: '/' },
      ...answer(refusalPage),
      response_headers_to_add: [
        {
          header: { key: 'content-type', value: 'text/html; charset=utf-8' },
          append_action: 'OVERWRITE_IF_EXISTS_OR_ADD',
        },
      ],
    },
  ];
}
