import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decode, encode, encodeAny } from '../../src/wire/proto-json.ts';

const cluster = 'type.googleapis.com/envoy.config.cluster.v3.Cluster';

const refused: readonly [name: string, resource: { '@type': string; [field: string]: unknown }][] = [
  ['an unknown field', { '@type': cluster, name: 'x', nope: 1 }],
  [
    'an unknown field deep inside',
    { '@type': cluster, load_assignment: { endpoints: [{ lb_endpoints: [{ nope: 1 }] }] } },
  ],
  ['an unknown enum name', { '@type': cluster, lb_policy: 'NOPE' }],
  ['an unknown type', { '@type': 'type.googleapis.com/nobody.knows.This' }],
  ['an unknown type of an extension', { '@type': cluster, cluster_type: { typed_config: { '@type': 'x/y.Z' } } }],
  ['text where a number belongs', { '@type': cluster, max_requests_per_connection: 'many' }],
];
for (const [name, resource] of refused) {
  test(`${name} is refused and never dropped in silence`, () => {
    assert.throws(() => encodeAny(resource), { code: 'resource_invalid' });
  });
}

test('what is written is read back the same', () => {
  const json = { name: 'x', connectTimeout: '5s', type: 'EDS' };
  assert.deepEqual(decode('envoy.config.cluster.v3.Cluster', encode('envoy.config.cluster.v3.Cluster', json)), json);
});

test('equal resources give equal bytes, so that a content hash can be a version', () => {
  const resource = () => ({
    '@type': cluster,
    name: 'x',
    metadata: { filter_metadata: { a: { k: 'v' }, b: { n: 1 } } },
  });
  assert.deepEqual(encodeAny(resource()), encodeAny(resource()));
});
