import { isMap } from '../../base/json-value.ts';
import { extraResources } from '../../control/extra/with-extras.ts';
import { names } from '../../control/resources/names.ts';
import { typeUrls } from '../../control/resources/types.ts';
import { memberOf } from '../../policy/membership.ts';
import type { Policy } from '../../policy/policy.types.ts';
import type { ExpectedLogs } from '../../sink/ledger/ledger.types.ts';

/** Which connection managers the policies in force give to a node, and which log each of them writes: asked for every message of counters, so kept. */
export function expectedLogs(policies: () => readonly Policy[]): (node: string) => ExpectedLogs {
  const byPolicy = new WeakMap<Policy, Map<string, ExpectedLogs>>();
  return (node) => {
    const found = policies().map((policy) => {
      const group = memberOf(policy, node)?.group.name;
      if (group === undefined) return nothing;
      let groups = byPolicy.get(policy);
      if (!groups) byPolicy.set(policy, (groups = new Map<string, ExpectedLogs>()));
      let expected = groups.get(group);
      if (!expected) groups.set(group, (expected = expectedIn(policy, group)));
      return expected;
    });
    const [only = nothing] = found;
    if (found.length < 2) return only;
    return {
      byPrefix: new Map(found.flatMap(({ byPrefix }) => [...byPrefix])),
      ignored: new Set(found.flatMap(({ ignored }) => [...ignored])),
    };
  };
}

const nothing: ExpectedLogs = { byPrefix: new Map(), ignored: new Set() };

function expectedIn(policy: Policy, group: string): ExpectedLogs {
  const byPrefix = new Map<string, string>();
  const ignored = new Set<string>();
  for (const door of policy.doors.filter(({ on }) => on === group)) {
    if (door.kind === 'forward') byPrefix.set(names.listener(door.name), names.log(door.name, 'connect'));
    if (door.inspect === 'full') byPrefix.set(names.inside(door.name), names.log(door.name, 'http'));
  }
  for (const listener of extraResources(policy, group)) {
    if (listener['@type'] !== typeUrls.listener) continue;
    const log = names.log(names.extra(String(listener['name'])), 'http');
    for (const prefix of prefixesIn(listener, log)) {
      // What two logs share cannot be told apart, and what has no logger of ours leaves no record.
      if (prefix.recorded && (byPrefix.get(prefix.name) ?? log) === log) byPrefix.set(prefix.name, log);
      else ignored.add(prefix.name);
    }
  }
  return { byPrefix, ignored };
}

/** The connection managers of a listener, wherever they stand in it, and whether each writes this log. */
function prefixesIn(value: unknown, log: string): { readonly name: string; readonly recorded: boolean }[] {
  if (Array.isArray(value)) return value.flatMap((item) => prefixesIn(item, log));
  if (!isMap(value)) return [];
  const own =
    value['@type'] === connectionManager
      ? [
          {
            name: String(value['stat_prefix']),
            recorded: JSON.stringify(value['access_log'] ?? '').includes(JSON.stringify(log)),
          },
        ]
      : [];
  return [...own, ...Object.values(value).flatMap((item) => prefixesIn(item, log))];
}

const connectionManager =
  'type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager';
