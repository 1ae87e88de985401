import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  currentFiles,
  entryFile,
  isEntry,
  leaseFile,
  newestLease,
  nextLease,
  supersededFiles,
} from '../../../src/control/state/entry-names.ts';

const cases: Readonly<
  Record<string, { names: string[]; lease?: number; next: number; current: string[]; superseded: string[] }>
> = {
  'an empty folder': { names: [], next: 1, current: [], superseded: [] },
  'a lease alone': { names: ['lease.1'], lease: 1, next: 2, current: [], superseded: [] },
  'the later turn of one lease': {
    names: ['a.json.1.9', 'a.json.1.10'],
    next: 2,
    current: ['a.json.1.10'],
    superseded: ['a.json.1.9'],
  },
  'the higher lease, whatever the turn': {
    names: ['lease.9', 'lease.10', 'a.json.9.7', 'a.json.10.1'],
    lease: 10,
    next: 11,
    current: ['a.json.10.1'],
    superseded: ['a.json.9.7', 'lease.9'],
  },
  'what was written late under a lease that is over': {
    names: ['lease.8', 'state.json.8.1', 'a.json.8.1', 'a.json.7.5', 'late.json.7.1'],
    lease: 8,
    next: 9,
    current: ['a.json.8.1', 'state.json.8.1'],
    superseded: ['a.json.7.5', 'late.json.7.1'],
  },
  'a lease that was taken and not yet sealed': {
    names: ['lease.8', 'state.json.7.1', 'a.json.7.5', 'b.json.8.1', 'b.json.7.1'],
    lease: 8,
    next: 9,
    current: ['a.json.7.5', 'b.json.8.1', 'state.json.7.1'],
    superseded: ['b.json.7.1'],
  },
  'entries of a folder that had no lease': { names: ['a.json.3.1'], next: 4, current: ['a.json.3.1'], superseded: [] },
  'what somebody left who died while he wrote': {
    names: ['.a.json.1.2.0123456789ab.tmp', '.lease.1.0123456789ab.tmp', 'a.json.1.1'],
    next: 2,
    current: ['a.json.1.1'],
    superseded: ['.a.json.1.2.0123456789ab.tmp', '.lease.1.0123456789ab.tmp'],
  },
  'names of other things': {
    names: ['.a.json.1.2.0f.tmp', 'lock.0123456789abcdef', 'lease.x', 'lease.1.1', 'a.json', 'README'],
    next: 1,
    current: [],
    superseded: [],
  },
};
for (const [name, { names, lease, next, current, superseded }] of Object.entries(cases)) {
  test(`${name}: which files count, and which number a new lease gets`, () => {
    assert.equal(newestLease(names), lease);
    assert.equal(nextLease(names), next);
    assert.deepEqual([...currentFiles(names).values()].map(({ file }) => file).sort(), current);
    assert.deepEqual(supersededFiles(names), superseded);
  });
}

test('a name is read as it is written, and only what can be read back is the name of an entry', () => {
  const file = entryFile('rollout.json', 7, 2);
  assert.deepEqual([...currentFiles([file.file]).values()], [file]);
  assert.equal(newestLease([leaseFile(12)]), 12);
  for (const good of ['state.json', 'door-0a.pem']) assert.ok(isEntry(good));
  for (const bad of ['lease', 'a', '.a.json', 'a/b.json', 'a.json.1', 'A.json', '']) assert.ok(!isEntry(bad), bad);
});
