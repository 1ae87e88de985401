import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sekishoCluster } from '../../../src/control/resources/sekisho-cluster.ts';
import { encodeAny } from '../../../src/wire/proto-json.ts';
import { policy } from '../../support/policies.ts';

const listen = { host: '127.0.0.1', port: 18000 };
const planes = ['a.example', 'b.example', 'c.example'].map((host) => ({ host, port: 18000 }));

interface Cluster {
  readonly load_assignment: {
    readonly endpoints: readonly {
      readonly priority?: number;
      readonly lb_endpoints: readonly [
        { readonly endpoint: { readonly address: { readonly socket_address: { readonly address: string } } } },
      ];
    }[];
  };
  readonly health_checks?: object[];
  readonly outlier_detection?: object;
}

test('a node that knows one control plane asks nobody whether it is well', () => {
  const { load_assignment, health_checks, outlier_detection } = cluster('egress-1', planes.slice(0, 1));
  assert.deepEqual([load_assignment.endpoints.length, health_checks, outlier_detection], [1, undefined, undefined]);
});

test('a node that knows several goes to the next one only while those before are down', () => {
  const { load_assignment, health_checks } = cluster('egress-1', planes);
  assert.deepEqual(
    load_assignment.endpoints.map(({ priority }) => priority ?? 0),
    [0, 1, 2],
  );
  assert.equal(health_checks?.length, 1);
});

test('each node begins with the same control plane every time, and many nodes with each of them', () => {
  const first = (node: string) => order(node)[0] ?? '';
  assert.equal(first('egress-1'), first('egress-1'));
  const counts = new Map<string, number>();
  for (let node = 0; node < 300; node++) {
    const host = first(`host-${node}`);
    counts.set(host, (counts.get(host) ?? 0) + 1);
    assert.deepEqual([...order(`host-${node}`)].sort(), ['a.example', 'b.example', 'c.example']);
  }
  for (const { host } of planes) assert.ok((counts.get(host) ?? 0) > 60, JSON.stringify([...counts]));
});

test('every field has its place on the wire', () => {
  const json = { '@type': 'type.googleapis.com/envoy.config.cluster.v3.Cluster', ...cluster('egress-1', planes) };
  assert.ok(encodeAny(json).length > 0);
});

function order(node: string): string[] {
  return cluster(node, planes).load_assignment.endpoints.map(
    ({ lb_endpoints: [{ endpoint }] }) => endpoint.address.socket_address.address,
  );
}

function cluster(node: string, addresses: readonly { readonly host: string; readonly port: number }[]): Cluster {
  const { server } = policy();
  return sekishoCluster(policy({ server: { ...server, grpc: { listen, addresses } } }), node, '/pki') as Cluster;
}
