import path from 'node:path';
import { loadPolicy, type LoadedPolicy } from '../../src/policy/load.ts';

/** A policy with a node in each of two groups, a forward door and a reverse one. `entries` is what stands behind `resources:`. */
export function policyWith(entries: string): string {
  return `fleet:
  name: tokyo
  egress: [51.44.71.80/32]
  nodes:
    egress: [{id: egress-1, address: 127.0.0.1}]
    host: {match: "host-*", max: 5}
doors:
  - {name: office, on: egress, kind: forward, listen: 127.0.0.1:3128, users: none}
  - {name: lan, on: egress, kind: reverse, listen: 127.0.0.1:8443, users: none}
console:
  regions: [us-east-1]
  resolvers: [10.0.0.2]
  pins: {console.aws.amazon.com: [10.1.2.3]}
record: {assurance: stream}
resources: ${entries}
`;
}

/** The line of `resources:` in that policy. */
export const resourcesLine = 15;

/** Loads a policy from /etc/sekisho whose files are these, by absolute path. */
export function loadWith(text: string, files: Readonly<Record<string, string>>): Promise<LoadedPolicy> {
  const missing = () => Promise.reject(Object.assign(new Error('no such file'), { code: 'ENOENT' }));
  return loadPolicy({
    file: '/etc/sekisho/sekisho.yaml',
    text,
    readFile: (name) => (files[name] === undefined ? missing() : Promise.resolve(Buffer.from(files[name]))),
    listFolder: (folder) => {
      const inside = Object.keys(files).filter((name) => name.startsWith(`${folder}/`));
      const names = new Set(inside.map((name) => path.relative(folder, name).split('/')[0] ?? ''));
      return names.size === 0 ? missing() : Promise.resolve([...names]);
    },
  });
}
