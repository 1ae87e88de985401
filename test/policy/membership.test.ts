import { test } from 'node:test';
import assert from 'node:assert/strict';
import { memberOf } from '../../src/policy/membership.ts';
import { policy } from '../support/policies.ts';

const groups = [
  { name: 'egress', nodes: [{ id: 'egress-1', address: '10.0.0.5' }] },
  { name: 'host', nodes: [], pattern: { match: 'host-*', max: 5 } },
];
const fleet = { ...policy().fleet, groups };

for (const [id, group, address] of [
  ['egress-1', 'egress', '10.0.0.5'],
  ['host-1', 'host', undefined],
  ['host-a.corp.example', 'host', undefined],
  ['host-', 'host', undefined],
  ['host', undefined, undefined],
  ['my-host-1', undefined, undefined],
  ['egress-2', undefined, undefined],
  ['', undefined, undefined],
  ['host-token=x', undefined, undefined],
  ['host-A', undefined, undefined],
  ['host-\n', undefined, undefined],
] as const) {
  test(`"${id}" belongs to ${group ?? 'no group'}`, () => {
    const member = memberOf(policy({ fleet }), id);
    assert.equal(member?.group.name, group);
    assert.equal(member?.node?.address, address);
  });
}
