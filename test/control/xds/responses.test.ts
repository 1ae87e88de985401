import assert from 'node:assert/strict';
import { test } from 'node:test';
import { noDifference } from '../../../src/control/xds/difference.ts';
import { Responses } from '../../../src/control/xds/responses.ts';
import { noResources } from '../../../src/control/xds/snapshot.ts';
import { clusterType, listenerType } from '../../../src/control/xds/type-urls.ts';

const ways: [variant: string, say: (responses: Responses, type: string, version: string) => Buffer][] = [
  ['delta', (responses, type, version) => responses.delta({ type, version, after: '' }, noDifference).bytes],
  ['sotw', (responses, type, version) => responses.sotw({ type, version, after: '' }, noResources, () => []).bytes],
];

for (const [variant, say] of ways) {
  test(`a ${variant} response without anything is built once for each type and version, and forgotten when the next version comes`, () => {
    const responses = new Responses();
    const first = say(responses, clusterType, '1');
    assert.equal(say(responses, clusterType, '1'), first);
    say(responses, listenerType, '1');
    assert.equal(responses.built, 2);
    say(responses, clusterType, '2');
    say(responses, clusterType, '2');
    assert.equal(responses.built, 3);
    // Were the first one still there, all versions of the life of the process would be.
    assert.notEqual(say(responses, clusterType, '1'), first);
    assert.equal(responses.built, 4);
  });
}
