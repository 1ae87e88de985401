import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkReferences } from '../../../src/control/resources/references.ts';
import { resourceName } from '../../../src/control/resources/types.ts';
import { namedPems, shapes } from './shapes.ts';

const everything = [
  ...(shapes['forward-client-certificates']?.(namedPems) ?? []),
  ...(shapes['pinned-host']?.(namedPems) ?? []),
];

test('a complete set passes', () => {
  checkReferences(everything);
});

test('whatever is taken away from a complete set, somebody misses it and the error says who and where', () => {
  const missed = everything.filter((gone) => {
    const rest = everything.filter(
      (other) => other['@type'] !== gone['@type'] || resourceName(other) !== resourceName(gone),
    );
    try {
      checkReferences(rest);
      return false;
    } catch (error) {
      assert.ok(error instanceof Error && 'code' in error && error.code === 'reference_missing');
      assert.ok(error.message.includes(resourceName(gone)));
      return true;
    }
  });
  // The outer listener is the one thing that nothing refers to.
  const unreferred = everything.filter((resource) => !missed.includes(resource)).map(resourceName);
  assert.deepEqual([...new Set(unreferred)], ['office/connect']);
});

test('a cluster of the bootstrap need not be published', () => {
  const route = { '@type': 'type.googleapis.com/envoy.config.route.v3.RouteConfiguration', name: 'r' };
  checkReferences([{ ...route, virtual_hosts: [{ routes: [{ route: { cluster: 'sekisho' } }] }] }]);
});
