import path from 'node:path';
import { stringify } from 'yaml';
import { consoleHosts } from '../../aws/hosts.ts';
import { systemClock } from '../../base/clock.ts';
import { realDisk } from '../../base/disk.ts';
import { openConsoleCa } from '../../control/ca/console-ca.ts';
import { initCa } from '../../control/ca/init-ca.ts';
import type { Assurance } from '../../policy/policy.types.ts';
import { peopleCertificates } from './people.ts';
import type { StandInOptions } from './stand-in.ts';

/** The ports of everything in the demo, all on loopback. */
export interface ScenePorts {
  readonly grpc: number;
  readonly admin: number;
  readonly public: number;
  /** The door for people with a client certificate, and the one for everybody on this machine. */
  readonly office: number;
  readonly lab: number;
}

/** The files of the demo. */
export interface Scene {
  readonly policyFile: string;
  readonly pki: string;
  readonly data: string;
  /** What the stand-in console shows. */
  readonly console: StandInOptions['certificate'];
  /** The client certificate of a person, as files, for curl. */
  readonly person: { readonly name: string; readonly certificate: string; readonly key: string };
}

const region = 'us-east-1';
const fleet = 'demo';

/** The certificate of the stand-in: a console CA of its own, which plays the public one. */
export async function consoleCertificate(dir: string): Promise<StandInOptions['certificate'] & { root: string }> {
  const folder = path.join(dir, 'stand-in');
  const hosts = demoHosts();
  const facts = { fleet: 'stand-in', hosts, addresses: [], serverHosts: [], serverAddresses: [] };
  await initCa({ online: folder, offline: path.join(folder, 'offline') }, facts, realDisk, systemClock);
  const ca = await openConsoleCa(folder, realDisk, systemClock);
  const leaf = await ca.issueLeaf(hosts, [], new Date(systemClock.now()));
  const root = path.join(folder, 'console-root.crt');
  return { cert: leaf.certificateChain, key: leaf.privateKey, root };
}

/** Writes the policy and the certificates of the people. The console is pinned to the stand-in's port. */
export async function prepareScene(
  dir: string,
  ports: ScenePorts,
  standIn: { readonly port: number; readonly certificate: StandInOptions['certificate'] & { root: string } },
  assurance: Assurance,
): Promise<Scene> {
  const people = await peopleCertificates(path.join(dir, 'people'), 'taro.yamada');
  const policyFile = path.join(dir, 'sekisho.yaml');
  const endpoint = [`127.0.0.1:${standIn.port}`];
  const policy = {
    fleet: { name: fleet, egress: ['51.44.71.80/32'], nodes: { egress: [{ id: 'egress-1', address: '127.0.0.1' }] } },
    doors: [
      {
        ...door('office', ports.office),
        tls: true,
        users: { certificate: path.relative(dir, people.authority) },
      },
      { ...door('lab', ports.lab), users: 'none' },
    ],
    console: {
      partitions: ['aws'],
      regions: [region],
      pins: Object.fromEntries(demoHosts().map((host) => [host, endpoint])),
      trust: path.relative(dir, standIn.certificate.root),
    },
    record: { assurance },
    server: {
      grpc: { listen: `127.0.0.1:${ports.grpc}` },
      admin: `127.0.0.1:${ports.admin}`,
      public: `127.0.0.1:${ports.public}`,
    },
  };
  await realDisk.writeFileAtomic(policyFile, stringify(policy), 0o640);
  return {
    policyFile,
    pki: path.join(dir, 'pki'),
    data: path.join(dir, 'data'),
    console: standIn.certificate,
    person: { name: people.name, certificate: people.certificate, key: people.key },
  };
}

function demoHosts(): readonly string[] {
  return consoleHosts({ partitions: ['aws'], regions: [region], also: [] }).admitted;
}

function door(name: string, port: number): object {
  return { name, on: 'egress', kind: 'forward', listen: `127.0.0.1:${port}`, inspect: 'full' };
}
