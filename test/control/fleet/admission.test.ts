import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Admission } from '../../../src/control/fleet/admission.ts';

test('a pattern lets in as many nodes as it says, and one more when one has left', () => {
  const admission = new Admission();
  for (const node of ['host-1', 'host-2']) {
    assert.ok(admission.hasRoom('host', node, 2));
    admission.came(node, 'host');
  }
  assert.equal(admission.hasRoom('host', 'host-3', 2), false);
  admission.left('host-1');
  assert.ok(admission.hasRoom('host', 'host-3', 2));
});

test('a node that comes back before its old stream is gone takes no second place, and keeps its own until the last stream ends', () => {
  const admission = new Admission();
  admission.came('host-1', 'host');
  assert.ok(admission.hasRoom('host', 'host-1', 1));
  admission.came('host-1', 'host');
  admission.left('host-1');
  assert.equal(admission.hasRoom('host', 'host-2', 1), false);
  admission.left('host-1');
  assert.ok(admission.hasRoom('host', 'host-2', 1));
});

test('groups do not take each other’s places', () => {
  const admission = new Admission();
  admission.came('host-1', 'host');
  assert.ok(admission.hasRoom('edge', 'edge-1', 1));
});

test('a node that was never in may be said to leave', () => {
  const admission = new Admission();
  admission.left('host-1');
  assert.ok(admission.hasRoom('host', 'host-2', 1));
  assert.equal(admission.hasRoom('host', 'host-2', 0), false);
});
