import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { SekishoError } from '../../../src/base/errors.ts';
import type { QueryItem } from '../../../src/sink/query/query-records.ts';
import { unionOf, type RecordSource } from '../../../src/sink/query/union.ts';
import type { NamedRecord } from '../../../src/sink/record/name.ts';

const base = {
  'sekisho.kind': 'http',
  'sekisho.node': 'egress-1',
  'sekisho.log': 'office/http',
  'sekisho.entry_type': 'DownstreamEnd',
};

function at(second: number, more: NamedRecord = {}): NamedRecord {
  return { ...base, 'sekisho.stream_id': `s${second}`, 'sekisho.received': time(second), ...more };
}

function time(second: number): string {
  return `2026-11-25T10:00:${String(second).padStart(2, '0')}.000000000Z`;
}

async function* items(records: readonly NamedRecord[]): AsyncGenerator<QueryItem> {
  await Promise.resolve();
  for (const [index, record] of records.entries()) yield { kind: 'record', index, record };
}

async function union(own: readonly NamedRecord[], other: readonly NamedRecord[]): Promise<QueryItem[]> {
  return all([{ items: items(own) }, { sink: 'other:18000', items: items(other) }]);
}

async function all(sources: readonly RecordSource[]): Promise<QueryItem[]> {
  const found: QueryItem[] = [];
  for await (const item of unionOf(sources)) found.push(item);
  return found;
}

function shown(found: readonly QueryItem[]): unknown[] {
  return found.map((item) => item.kind === 'record' && [item.record['sekisho.stream_id'], item.record['sekisho.sink']]);
}

test('records of two sinks come by the time at which they were received, and those of the other one say so', async () => {
  const found = await union([at(1), at(4)], [at(2), at(3)]);
  assert.deepEqual(shown(found), [
    ['s1', undefined],
    ['s2', 'other:18000'],
    ['s3', 'other:18000'],
    ['s4', undefined],
  ]);
});

const same: Readonly<Record<string, { one: NamedRecord; other: NamedRecord; records: number }>> = {
  'the same stream at both sinks': { one: at(1), other: at(1, { 'sekisho.received': time(9) }), records: 1 },
  'the same stream, begun and ended': {
    one: at(1, { 'sekisho.entry_type': 'TcpConnectionStart' }),
    other: at(1, { 'sekisho.entry_type': 'TcpConnectionEnd' }),
    records: 2,
  },
  'the same stream at two doors': { one: at(1), other: at(1, { 'sekisho.log': 'lab/http' }), records: 2 },
  'the same stream of two nodes': { one: at(1), other: at(1, { 'sekisho.node': 'egress-2' }), records: 2 },
  'an intent and its outcome': { one: at(1, { 'sekisho.kind': 'intent' }), other: at(1), records: 2 },
  'no stream id, but the same client and start': {
    one: noStream({ 'client.port': 5 }),
    other: noStream({ 'client.port': 5 }),
    records: 1,
  },
  'no stream id, and another port': {
    one: noStream({ 'client.port': 5 }),
    other: noStream({ 'client.port': 6 }),
    records: 2,
  },
  'one connection that lasts, looked at twice': { one: lasting(1000), other: lasting(2000), records: 2 },
  'one connection that lasts, told to both': { one: lasting(1000), other: lasting(1000), records: 1 },
  'what two control planes say of themselves': {
    one: { 'sekisho.kind': 'control', 'sekisho.received': time(1) },
    other: { 'sekisho.kind': 'control', 'sekisho.received': time(1) },
    records: 2,
  },
};
for (const [name, { one, other, records }] of Object.entries(same)) {
  test(`${name}: ${records === 1 ? 'one record' : 'two records'}`, async () => {
    assert.equal((await union([one], [other])).length, records);
  });
}

test('one sink alone is shown as it is, even where it holds something twice', async () => {
  assert.equal((await all([{ items: items([at(1), at(1)]) }])).length, 2);
});

test('what cannot be read is shown, whichever sink it is of', async () => {
  const error = new SekishoError('record_malformed', 'no record');
  async function* broken(): AsyncGenerator<QueryItem> {
    await Promise.resolve();
    yield { kind: 'unreadable', index: 7, error };
  }
  const found = await all([{ items: items([at(1)]) }, { sink: 'other:18000', items: broken() }]);
  assert.deepEqual(found.map(({ kind }) => kind).sort(), ['record', 'unreadable']);
});

test('whichever of two sinks each record was told to, or both, the union has it once', async () => {
  const told = fc.array(fc.constantFrom('own', 'other', 'both'), { maxLength: 40 });
  await fc.assert(
    fc.asyncProperty(told, async (whom) => {
      const toldTo = (sink: string) =>
        whom.flatMap((one, second) => (one === sink || one === 'both' ? [at(second)] : []));
      const found = await union(toldTo('own'), toldTo('other'));
      assert.deepEqual(
        shown(found).map((one) => Array.isArray(one) && String(one[0])),
        whom.map((_, second) => `s${second}`),
      );
    }),
  );
});

function noStream(more: NamedRecord): NamedRecord {
  const rest = Object.entries(at(1)).filter(([name]) => name !== 'sekisho.stream_id');
  return { ...Object.fromEntries(rest), 'client.address': '10.0.0.1', time: time(1), ...more };
}

function lasting(ms: number): NamedRecord {
  return at(1, { 'sekisho.kind': 'tcp', 'sekisho.entry_type': 'TcpPeriodic', 'sekisho.duration_ms': ms });
}
