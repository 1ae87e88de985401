import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';
import type { House, PolicyFile } from './house.ts';
import { line, startSekisho, type Program } from './sekisho.ts';

/** Ports on the address of a house: those of its own service, and those of a second control plane beside it. */
export const planePorts = {
  first: { grpc: 18000, admin: 18080, public: 18081 },
  second: { grpc: 18100, admin: 18180, public: 18181 },
} as const;

/** Makes the policy one of two control planes, and of a second door `far` at a node of its own. */
export function twoPlanes(policy: PolicyFile, farId: string): void {
  const [address = ''] = policy.server.admin.split(':');
  policy.server.grpc.address = [`${address}:${planePorts.second.grpc}`, `${address}:${planePorts.first.grpc}`];
  policy.fleet.nodes['far'] = [{ id: farId }];
  policy.doors.push({ name: 'far', on: 'far', kind: 'forward', listen: `${address}:3140`, users: 'none' });
}

export interface SecondPlane {
  readonly program: Program;
  readonly data: string;
  /** Gives it the policy that the house has by now, and resolves when it has been read. */
  reload(): Promise<void>;
}

/** A second control plane with the policy and the certificates of the house, and this state directory. */
export async function startSecondPlane(house: House, state: string): Promise<SecondPlane> {
  const data = join(house.dir, 'second');
  const file = join(house.dir, 'second.yaml');
  const write = async (): Promise<void> => {
    const policy = parse(await house.policyText()) as PolicyFile;
    const at = (port: number) => `${house.address}:${port}`;
    const { grpc, admin, public: open } = planePorts.second;
    policy.server = { grpc: { ...policy.server.grpc, listen: at(grpc) }, admin: at(admin), public: at(open) };
    const text = stringify(policy);
    if (text !== (await readFile(file, 'utf8').catch(() => ''))) await writeFile(file, text);
  };
  await write();
  const program = await startSekisho(['serve', '-c', file, '--data', data, '--pki', house.pki, '--state', state]);
  await line(program.stderr, /"message":"serving"/);
  return {
    program,
    data,
    reload: async () => {
      const from = program.stderr.length;
      await write();
      program.signal('SIGHUP');
      await line(program.stderr, /"message":"policy reloaded/, from);
    },
  };
}
