import type { Door, Policy } from '../../../src/policy/policy.types.ts';
import { nodeResources, type NodeFacts } from '../../../src/control/resources/node-resources.ts';
import type { TypedJson } from '../../../src/wire/proto-json.ts';
import { door, hosts, policy } from '../../support/policies.ts';

/** PEM texts that a shape is filled with: names in a golden file, real ones for the real Envoy. */
export interface Pems {
  readonly certificate: string;
  readonly key: string;
}

export const namedPems: Pems = { certificate: 'CERTIFICATE', key: 'KEY' };

/** Every shape of configuration that the policy can ask for today, by the name of its golden file. */
export const shapes: Readonly<Record<string, (pems: Pems) => TypedJson[]>> = {
  'forward-no-users': (pems) => resources(pems, {}),
  'forward-client-certificates': (pems) =>
    resources(pems, { doors: [door({ tls: true, users: { kind: 'certificate', authorities: pems.certificate } })] }),
  'forward-tls-no-users': (pems) => resources(pems, { doors: [door({ tls: true })] }),
  'forward-basic': (pems) =>
    resources(pems, { doors: [door({ tls: true, users: { kind: 'basic', accounts: new Map() } })] }),
  'forward-from-networks': (pems) => resources(pems, { doors: [door({ from: ['10.0.0.0/8', 'fd00::/8'] })] }),
  'two-doors': (pems) =>
    resources(pems, { doors: [door(), door({ name: 'lab', listen: { host: '127.0.0.1', port: 3129 } })] }),
  'pinned-host': (pems) =>
    resources(pems, {
      console: {
        ...policy().console,
        trust: pems.certificate,
        pins: [{ host: 'console.aws.amazon.com', endpoints: [{ host: '127.0.0.1', port: 8443 }] }],
      },
    }),
  'own-resolvers': (pems) =>
    resources(pems, { console: { ...policy().console, resolvers: [{ host: '10.0.0.2', port: 53 }] } }),
  'ipv6-egress': (pems) =>
    resources(pems, { fleet: { ...policy().fleet, egress: ['2001:4860::/64', '51.44.71.80/32'] } }),
  'source-address': (pems) => resources(pems, {}, { source: '10.0.0.5' }),
  'forward-tunnel': (pems) => resources(pems, { doors: [door({ inspect: 'tunnel' })] }),
  'reverse-full': (pems) => resources(pems, { doors: [reverse({ from: ['10.0.0.0/8', 'fd00::/8'] })] }),
  'reverse-client-certificates': (pems) =>
    resources(pems, { doors: [reverse({ users: { kind: 'certificate', authorities: pems.certificate } })] }),
  'reverse-tunnel': (pems) => resources(pems, { doors: [reverse({ inspect: 'tunnel' })] }),
  'sidecar-full': (pems) => resources(pems, { doors: [sidecar()] }),
  'sidecar-tunnel-pinned': (pems) =>
    resources(pems, {
      doors: [sidecar({ inspect: 'tunnel' })],
      console: {
        ...policy().console,
        pins: [{ host: '*.console.aws.amazon.com', endpoints: [{ host: '127.0.0.1', port: 8443 }] }],
      },
    }),
  'every-kind-of-door': (pems) =>
    resources(pems, {
      doors: [
        door(),
        door({ name: 'blind', inspect: 'tunnel', listen: { host: '127.0.0.1', port: 3129 } }),
        reverse(),
        sidecar({ inspect: 'tunnel' }),
      ],
    }),
  'every-kind-of-door-gated': (pems) =>
    resources(pems, {
      record: { ...policy().record, assurance: 'gate' },
      doors: [
        door({ tls: true, users: { kind: 'basic', accounts: new Map() } }),
        door({ name: 'blind', inspect: 'tunnel', listen: { host: '127.0.0.1', port: 3129 } }),
        reverse({ users: { kind: 'certificate', authorities: pems.certificate } }),
        sidecar({ inspect: 'tunnel' }),
      ],
    }),
  'group-without-doors': (pems) => resources(pems, {}, { group: 'host' }),
};

function reverse(change: Partial<Door> = {}): Door {
  return door({ name: 'lan', kind: 'reverse', listen: { host: '127.0.0.1', port: 8443 }, ...change });
}

function sidecar(change: Partial<Door> = {}): Door {
  return door({ name: 'hosts', kind: 'sidecar', listen: { host: '127.0.0.1', port: 15001 }, ...change });
}

function resources(pems: Pems, change: Partial<Policy>, facts: Partial<NodeFacts> = {}): TypedJson[] {
  const pair = { certificateChain: pems.certificate, privateKey: pems.key };
  const asked = policy(change);
  const keys = new Map(asked.doors.map(({ name, tls }) => [name, { leaf: pair, ...(tls && { proxy: pair }) }]));
  return nodeResources({ policy: asked, hosts, group: 'egress', keys, ...facts });
}
