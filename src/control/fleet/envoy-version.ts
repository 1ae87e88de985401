import type { NodeInfo } from '../../wire/node-info.ts';

/** Older Envoys lack fields that our resources use: they would take them in and leave a door open that should be shut. */
export const oldestEnvoy = { major: 1, minor: 40 };

/** What is wrong with the Envoy of a node, if anything: then it shall have no listeners. A node that does not tell is not trusted to be new. */
export type VersionFault = 'too-old' | 'untold';

export function versionFault(node: Pick<NodeInfo, 'version'>): VersionFault | undefined {
  const told = /^(\d+)\.(\d+)\./.exec(node.version ?? '');
  if (!told) return 'untold';
  const major = Number(told[1]);
  const minor = Number(told[2]);
  const isOld = major < oldestEnvoy.major || (major === oldestEnvoy.major && minor < oldestEnvoy.minor);
  return isOld ? 'too-old' : undefined;
}
