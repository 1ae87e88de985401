import type { Door, Policy } from '../../src/policy/policy.types.ts';

/** A forward door without users on loopback; give what matters to the test. */
export function door(change: Partial<Door> = {}): Door {
  return {
    name: 'office',
    on: 'egress',
    kind: 'forward',
    inspect: 'full',
    listen: { host: '127.0.0.1', port: 3128 },
    from: [],
    tls: false,
    users: { kind: 'none' },
    ...change,
  };
}

/** A policy with one node and one door; give what matters to the test. */
export function policy(change: Partial<Policy> = {}): Policy {
  return {
    file: 'sekisho.yaml',
    sha256: 'c0ffee'.padEnd(64, '0'),
    source: { text: '', files: new Map(), folders: new Map() },
    fleet: {
      name: 'tokyo',
      egress: ['51.44.71.80/32'],
      groups: [{ name: 'egress', nodes: [{ id: 'egress-1', address: '127.0.0.1' }] }],
    },
    doors: [door()],
    console: { partitions: ['aws'], regions: ['us-east-1'], also: [], resolvers: [], pins: [] },
    record: {
      assurance: 'stream',
      redactQuery: [],
      periodicSeconds: 60,
      refusals: { burst: 100, rate: 60, tallySeconds: 60 },
    },
    outputs: [],
    resources: [],
    server: {
      grpc: { listen: { host: '127.0.0.1', port: 18000 }, addresses: [{ host: '127.0.0.1', port: 18000 }] },
      admin: { host: '127.0.0.1', port: 18080 },
      public: { host: '127.0.0.1', port: 18081 },
    },
    ...change,
  };
}

export const hosts = [
  '*.console.aws.amazon.com',
  '*.us-east-1.console.aws.amazon.com',
  'console.aws.amazon.com',
  'signin.aws.amazon.com',
  'us-east-1.signin.aws',
] as const;
