import assert from 'node:assert/strict';
import { test } from 'node:test';
import { recordFilter } from '../../../src/sink/query/filter.ts';
import { jsonLine } from '../../../src/sink/query/json-lines.ts';
import { queryRecords, type QueryItem } from '../../../src/sink/query/query-records.ts';
import { recordTable } from '../../../src/sink/query/table.ts';
import { encodeControlEvent, noEvent, type ControlEvent } from '../../../src/wire/control-event.ts';
import { consoleRequest, httpEntry, recordBytes } from '../record/entries.ts';

const encoder = recordBytes({
  node: 'egress-1',
  log: 'office/http',
  epoch: 0,
  kind: 'http',
  identity: 'certificate',
});

function request(path: string, common: object = {}, response: object = {}): Buffer {
  return encoder.encode(1000, [], httpEntry(consoleRequest({ path }, common, response)));
}

async function* journal(...payloads: readonly Buffer[]): AsyncGenerator<{ index: number; payload: Buffer }> {
  await Promise.resolve();
  for (const [index, payload] of payloads.entries()) yield { index, payload };
}

async function ask(question: object, ...payloads: readonly Buffer[]): Promise<QueryItem[]> {
  const items: QueryItem[] = [];
  for await (const item of queryRecords(journal(...payloads), recordFilter(question, 0))) items.push(item);
  return items;
}

async function one(payload: Buffer): Promise<QueryItem> {
  const [item = assert.fail()] = await ask({}, payload);
  return item;
}

test('records come in the order of the journal, with their place in it, as far as the filter admits them', async () => {
  const denied = request('/2', {}, { response_code: { value: 403 } });
  const items = await ask({ status: '4xx' }, request('/1'), denied, request('/3'), denied);
  assert.deepEqual(
    items.map(({ kind, index }) => [kind, index]),
    [
      ['record', 1],
      ['record', 3],
    ],
  );
});

test('what cannot be read passes every filter, so that nobody overlooks it', async () => {
  const items = await ask({ user: 'nobody' }, request('/'), Buffer.from('no record'));
  assert.deepEqual(
    items.map(({ kind, index }) => [kind, index]),
    [['unreadable', 1]],
  );
});

test('a line of JSON is the record, or the error with its place', async () => {
  const line = jsonLine(await one(request('/a\u001bb?x=\u202e')));
  assert.match(line, /^\{"time":"2026-/);
  assert.ok(line.includes('"url.path":"/a\\u001bb"') && line.includes('"url.query":"x=\\u202e"'), line);
  const unreadable = JSON.parse(jsonLine(await one(Buffer.from('no record')))) as { error: { code: string } };
  assert.equal(unreadable.error.code, 'record_malformed');
});

const table = recordTable({ width: 130 });

test('a table has its columns in their places, whatever the rows', async () => {
  const requested = table.row(await one(request('/ec2/home?region=us-east-1')));
  assert.equal(
    table.header,
    'TIME (UTC)              CLIENT          USER           METHOD  STATUS HOST                                 PATH',
  );
  assert.equal(
    requested,
    '2026-11-23 13:54:00.554 127.0.0.7       taro.yamada    GET     200    us-east-1.console.aws.amazon.com     /ec2/home?region=us-ea…',
  );
});

test('before the path stands why a request was denied, or what Envoy noted', async () => {
  const tags = { denied: 'host', client: '10.0.0.1:1' };
  assert.match(table.row(await one(request('/', { custom_tags: tags }))), / \[denied: host\] \/$/);
  const counted = await one(request('/', { custom_tags: tags }));
  assert.ok(counted.kind === 'record');
  const standing = { ...counted, record: { ...counted.record, 'sekisho.suppressed.count': 412 } };
  assert.match(table.row(standing), / \[denied: host \+412\] \/$/);
  const flags = { response_flags: { downstream_connection_termination: true, no_route_found: true } };
  assert.match(table.row(await one(request('/', flags))), /\[(DC,NR|NR,DC)\] \/$/);
});

const event: ControlEvent = {
  ...noEvent,
  ...{ act: 'published', actor: 'policy', policy: 'sekisho.yaml', nodes: ['egress-1', 'egress-2'], moreNodes: 1 },
  changes: ['Cluster', 'Listener'].map((type) => ({
    ...{ type, added: 1, changed: 2, removed: 0, addedNames: [], changedNames: [], removedNames: [] },
  })),
};
const ofControl: readonly (readonly [what: string, event: ControlEvent, row: string])[] = [
  [
    'a publication',
    event,
    '[published] egress-1, egress-2 and 1 more: Cluster +1 ~2 -0, Listener +1 ~2 -0 (policy sekisho.yaml)',
  ],
  [
    'a policy that changes no node',
    { ...event, nodes: [], moreNodes: 0, changes: [] },
    '[published] no node: nothing (policy sekisho.yaml)',
  ],
  [
    'an acknowledgement',
    { ...noEvent, act: 'acknowledged', actor: 'node', nodes: ['egress-1'], version: 'v1' },
    '[acknowledged] egress-1: v1',
  ],
  [
    'a refusal',
    {
      ...noEvent,
      act: 'refused',
      actor: 'node',
      nodes: ['egress-1'],
      version: 'v1',
      type: 'Listener',
      text: 'no, or so',
    },
    '[refused] egress-1: Listener no, or so',
  ],
  [
    'a pause',
    { ...noEvent, act: 'paused', actor: 'operator', operator: 'hanako', nodes: ['egress-1'], version: 'v1' },
    '[paused] egress-1: v1 (operator hanako)',
  ],
];
for (const [what, one, row] of ofControl) {
  test(`the row of ${what} says who, what and which nodes`, async () => {
    const wide = recordTable({ width: 300 });
    const payload = recordBytes({ node: '', log: '', epoch: 0, kind: 'control', identity: 'self' });
    const [item] = await ask({}, payload.encode(1000, [], encodeControlEvent(one)));
    assert.ok(item);
    const found = wide.row(item);
    assert.equal(found.slice(found.indexOf('[')), row);
    assert.match(found, / control /);
  });
}

test('a row is one line without anything that a terminal obeys, whatever was requested', async () => {
  const row = table.row(await one(request('/\u001b[2J\n\u202e', { custom_tags: { user: 'a\nb' } })));
  assert.doesNotMatch(row, /[\u0000-\u001f\u202e]/);
});

test('what cannot be read has a row that says so', async () => {
  assert.match(table.row(await one(Buffer.from('no record'))), /^! record 0 cannot be read: /);
});
