import { consoleHosts } from '../../aws/hosts.ts';
import type { Policy } from '../../policy/policy.types.ts';
import { pathText, type Problem } from '../../policy/problem.ts';
import type { TypedJson } from '../../wire/proto-json.ts';
import { nodeResources } from '../resources/node-resources.ts';
import { typeUrls } from '../resources/types.ts';
import { backWays } from './back-ways.ts';
import { danglingNames } from './dangling-names.ts';
import type { Extra, ExtraFinding } from './extra.types.ts';
import { authoredPath, readExtra } from './read-extra.ts';
import { recordedListener } from './recorded-listener.ts';
import { takenNames } from './taken-names.ts';
import { takenPorts } from './taken-ports.ts';

/** All that is wrong with the user's own resources, each at its place in its file. What is wrong by itself is not judged among the others. */
export function extraProblems(policy: Policy): Problem[] {
  if (policy.resources.length === 0) return [];
  const read = policy.resources.map(readExtra);
  const sound = read.filter(({ findings }) => findings.length === 0).map(({ extra }) => extra);
  const groups = policy.fleet.groups.map(({ name }) => ({ name, generated: generatedFor(policy, name) }));
  const findings = [
    ...read.flatMap((one) => one.findings),
    ...takenNames(sound, groups),
    ...takenPorts(sound, policy),
    ...sound.flatMap((extra) => backWays(extra, policy)),
    ...sound.flatMap(blindSpots),
    ...danglingNames(sound, groups),
  ];
  return inOrder(findings, policy);
}

/** Names are the same whatever the certificates are. */
function generatedFor(policy: Policy, group: string): TypedJson[] {
  const pair = { certificateChain: '', privateKey: '' };
  const keys = new Map(policy.doors.map(({ name }) => [name, { leaf: pair, proxy: pair }]));
  return nodeResources({ policy, hosts: consoleHosts(policy.console).admitted, group, keys });
}

/** A listener without our loggers. */
function blindSpots({ source, resource, type, name }: Extra): ExtraFinding[] {
  if (type !== typeUrls.listener || source.unrecorded !== undefined) return [];
  const remedy =
    'end it in an HTTP connection manager or a TCP proxy, or say unrecorded: "…" beside its file in the policy';
  return recordedListener(resource, name, 'stream').blind.map(({ path, message }) => {
    return { source, path, at: 'value', code: 'unrecorded', message, remedy };
  });
}

/** By file as the policy names them, then by place. */
function inOrder(findings: readonly ExtraFinding[], policy: Policy): Problem[] {
  const order = new Map(policy.resources.map((one, index) => [one, index]));
  return findings
    .map(({ source, path, at, code, message, remedy }) => {
      const authored = authoredPath(source.json, path);
      const place = source.place(authored, at);
      return { index: order.get(source) ?? 0, problem: { ...place, path: pathText(authored), code, message, remedy } };
    })
    .sort((a, b) => a.index - b.index || a.problem.line - b.problem.line || a.problem.column - b.problem.column)
    .map(({ problem }) => problem);
}
