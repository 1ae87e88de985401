import assert from 'node:assert/strict';
import { test } from 'node:test';
import { controlIntake } from '../../../src/sink/intake/control.ts';
import { readPieces } from '../../../src/sink/query/journal-pieces.ts';
import { decodeRecord } from '../../../src/sink/record/decode.ts';
import { nameRecord, type NamedRecord } from '../../../src/sink/record/name.ts';
import { noEvent, type ControlEvent } from '../../../src/wire/control-event.ts';
import { FaultyDisk } from '../../base/faulty-disk.ts';
import { dir, open } from '../journal/fixture.ts';

const clock = { now: () => 1_795_442_040_554 };
const published: ControlEvent = {
  ...noEvent,
  ...{ time: 1_795_442_040_000_000_000n, act: 'published', actor: 'policy', identity: 'self' },
  ...{ policy: 'sekisho.yaml', policySha256: 'ab'.repeat(32), target: 'egress', version: 'v1' },
  ...{ nodes: ['egress-1', 'egress-2'], moreNodes: 3 },
  changes: [
    {
      ...{ type: 'Listener', added: 1, changed: 2, removed: 0 },
      ...{ addedNames: ['office/connect'], changedNames: ['a', 'b'], removedNames: [] },
    },
  ],
};
const refused: ControlEvent = {
  ...noEvent,
  ...{ time: 1_795_442_041_000_000_000n, act: 'refused', actor: 'node', identity: 'certificate' },
  ...{ version: 'v1', nodes: ['egress-1'], type: 'Listener', text: 'bind failed' },
};

test('an event is a record of the kind control, named and in the order of the others', async () => {
  const disk = new FaultyDisk();
  const { journal } = await open(disk);
  const intake = controlIntake({ journal, clock });
  await Promise.all([intake.take(published), intake.take(refused)]);
  await journal.close();
  assert.deepEqual(await recordsOn(disk), [
    {
      time: '2026-11-23T13:54:00.000000000Z',
      'sekisho.index': 0,
      'sekisho.kind': 'control',
      'sekisho.received': '2026-11-23T13:54:00.554000000Z',
      'sekisho.identity': 'self',
      'sekisho.control.act': 'published',
      'sekisho.control.actor': 'policy',
      'sekisho.control.policy': 'sekisho.yaml',
      'sekisho.control.policy_sha256': 'ab'.repeat(32),
      'sekisho.control.target': 'egress',
      'sekisho.control.version': 'v1',
      'sekisho.control.nodes': ['egress-1', 'egress-2'],
      'sekisho.control.more_nodes': 3,
      'sekisho.control.changes': ['Listener +1 ~2 -0'],
      'sekisho.control.added': ['Listener office/connect'],
      'sekisho.control.changed': ['Listener a', 'Listener b'],
    },
    {
      time: '2026-11-23T13:54:01.000000000Z',
      'sekisho.index': 1,
      'sekisho.kind': 'control',
      'sekisho.node': 'egress-1',
      'sekisho.received': '2026-11-23T13:54:00.554000000Z',
      'sekisho.identity': 'certificate',
      'sekisho.control.act': 'refused',
      'sekisho.control.actor': 'node',
      'sekisho.control.version': 'v1',
      'sekisho.control.nodes': ['egress-1'],
      'sekisho.control.type': 'Listener',
      'sekisho.control.text': 'bind failed',
    },
  ]);
});

test('while the disk is full so many bytes wait and no more; what waited is stored, and then there is room again', async () => {
  const disk = new FaultyDisk();
  const { journal } = await open(disk);
  const intake = controlIntake({ journal, clock, waitingBytes: 1000 });
  disk.freeBytes = 0;
  const taken = Array.from({ length: 50 }, () => intake.take(refused));
  const outcomes = Promise.allSettled(taken);
  disk.freeBytes = Infinity;
  const stored = (await outcomes).filter(({ status }) => status === 'fulfilled').length;
  assert.ok(stored > 5 && stored < 20, `${stored} were stored`);
  const reasons = (await outcomes).flatMap((one) =>
    one.status === 'rejected' ? [one.reason as { code: string }] : [],
  );
  assert.deepEqual([...new Set(reasons.map(({ code }) => code))], ['limit_exceeded']);
  await intake.take(published);
  await journal.close();
  assert.equal((await recordsOn(disk)).length, stored + 1);
  await assert.rejects(intake.take(published), { code: 'journal_closed' });
});

async function recordsOn(disk: FaultyDisk): Promise<NamedRecord[]> {
  const records: NamedRecord[] = [];
  for await (const { entries } of readPieces({ dir, disk })) {
    for (const entry of entries) {
      if (entry.kind === 'payload') records.push(nameRecord(decodeRecord(entry.payload), entry.index));
    }
  }
  return records;
}
