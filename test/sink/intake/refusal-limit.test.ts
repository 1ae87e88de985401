import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { RefusalRules } from '../../../src/policy/policy.types.ts';
import { RefusalLimit, refusalBounds, type RefusalRecord } from '../../../src/sink/intake/refusal-limit.ts';
import { decodeRecord } from '../../../src/sink/record/decode.ts';
import { recordEncoder, recordLimit, writeRecord, type EncodedRecord } from '../../../src/sink/record/envelope.ts';
import { nameRecord, type NamedRecord } from '../../../src/sink/record/name.ts';
import { consoleRequest, httpEntry } from '../record/entries.ts';

const rules = (burst: number, rate = 1): RefusalRules => ({ burst, rate, tallySeconds: 60 });

interface Refused {
  readonly node?: string;
  readonly log?: string;
  readonly client?: string;
  readonly reason?: string;
  readonly received?: number;
  readonly path?: string;
}

function refused(one: Refused = {}): RefusalRecord {
  const {
    node = 'egress-1',
    log = 'office/http',
    client = '10.0.0.7',
    reason = 'host',
    received = 0,
    path = '/',
  } = one;
  const custom_tags = { client: client.includes(':') ? `[${client}]:1` : `${client}:1`, denied: reason };
  const encoder = recordEncoder({ node, log, epoch: 0, kind: 'http', identity: 'certificate' });
  const record = encoder.encode(received, [], httpEntry(consoleRequest({ path }, { custom_tags })));
  return { node, log, client, reason, received, record };
}

function named(record: EncodedRecord): NamedRecord {
  const bytes = Buffer.alloc(record.length);
  writeRecord(record, bytes, 0);
  return nameRecord(decodeRecord(bytes), 0);
}

/** Of how many refusals the records that were taken tell: their own, and those for which they stand. */
function told(records: readonly EncodedRecord[]): number {
  return records.reduce((sum, record) => sum + 1 + Number(named(record)['sekisho.suppressed.count'] ?? 0), 0);
}

test('the first refusals of a client are stored, the others counted, with the last one as evidence', () => {
  const limit = new RefusalLimit(() => rules(3));
  const admitted = Array.from({ length: 10 }, (_, n) => limit.admits(refused({ received: 1000 + n, path: `/${n}` })));
  assert.deepEqual(admitted, [true, true, true, ...Array<boolean>(7).fill(false)]);
  const [record, ...others] = limit.take().map(named);
  assert.deepEqual(others, []);
  assert.equal(record?.['sekisho.suppressed.count'], 6);
  assert.equal(record['sekisho.suppressed.since'], '1970-01-01T00:00:01.003000000Z');
  assert.equal(record['sekisho.suppressed.shared'], undefined);
  assert.equal(record['sekisho.received'], '1970-01-01T00:00:01.009000000Z');
  assert.equal(record['url.path'], '/9');
  assert.equal(record['sekisho.denied.reason'], 'host');
  assert.deepEqual([limit.waiting, limit.take()], [false, []]);
});

test('a single refusal that waited is a record like any other, for nothing is missing', () => {
  const limit = new RefusalLimit(() => rules(1));
  limit.admits(refused());
  limit.admits(refused({ path: '/late' }));
  const [record] = limit.take().map(named);
  assert.deepEqual([record?.['url.path'], record?.['sekisho.suppressed.count']], ['/late', undefined]);
});

/** What has an allowance of its own. */
for (const [name, other] of Object.entries<Refused>({
  'another client': { client: '10.0.0.8' },
  'another reason': { reason: 'wrong_credentials' },
  'another door': { log: 'lab/http' },
  'another log of the door': { log: 'office/connect' },
  'another node': { node: 'egress-2' },
})) {
  test(`a client that used up its allowance takes nothing from ${name}`, () => {
    const limit = new RefusalLimit(() => rules(2));
    for (let n = 0; n < 10; n += 1) limit.admits(refused());
    assert.deepEqual(
      [limit.admits(refused(other)), limit.admits(refused(other)), limit.admits(refused(other))],
      [true, true, false],
    );
  });
}

test('an allowance fills again by its rate, up to the burst, and a clock that is set back takes nothing', () => {
  const limit = new RefusalLimit(() => rules(2, 60));
  const at = (received: number) => limit.admits(refused({ received }));
  assert.deepEqual([at(0), at(0), at(0)], [true, true, false]);
  assert.deepEqual([at(999), at(1000), at(1999)], [false, true, false]);
  assert.deepEqual([at(3_600_000), at(3_600_000), at(3_600_000)], [true, true, false]);
  assert.deepEqual([at(10), at(1009), at(1010)], [false, false, true]);
});

test('a policy that allows less or more holds for clients that are known', () => {
  let now = rules(100);
  const limit = new RefusalLimit(() => now);
  assert.ok(limit.admits(refused()));
  now = rules(1);
  assert.deepEqual([limit.admits(refused()), limit.admits(refused())], [true, false]);
});

test('whatever comes, what is stored and what is told of the rest is what came; and nobody is stored beyond the limit', () => {
  const event = fc.record({
    client: fc.constantFrom('10.0.0.1', '10.0.0.2', 'fd00::1', '10.0.0.3', '10.0.0.4'),
    reason: fc.constantFrom('host', 'locked'),
    log: fc.constantFrom('a/http', 'b/connect'),
    after: fc.nat(5000),
    taking: fc.integer({ min: 0, max: 9 }).map((n) => n === 0),
  });
  const bounds = fc.record({ clients: fc.nat(6), logs: fc.nat(2), evidenceBytes: fc.nat(4000) });
  const allowed = fc.record({ burst: fc.integer({ min: 1, max: 5 }), rate: fc.constantFrom(1, 30, 60_000) });
  fc.assert(
    fc.property(fc.array(event, { maxLength: 200 }), allowed, bounds, (events, { burst, rate }, bound) => {
      const limit = new RefusalLimit(() => rules(burst, rate), bound);
      const most = bound.clients + bound.logs;
      let [received, stored, counted] = [0, 0, 0];
      const take = (): void => {
        const records = limit.take();
        counted += told(records);
        assert.ok(records.length <= most);
      };
      for (const { after, taking, ...one } of events) {
        received += after;
        if (limit.admits(refused({ ...one, received }))) stored += 1;
        if (taking) take();
        assert.ok(limit.size <= most);
      }
      take();
      assert.equal(stored + counted, events.length);
      // With room for the two logs whoever finds no place of its own shares one.
      if (bound.logs === 2) assert.ok(stored <= most * (burst + (received * rate) / 60_000), `${stored} stored`);
    }),
    { numRuns: 300 },
  );
});

test('a million addresses are counted in bounded memory, and share one allowance once they are too many', () => {
  const limit = new RefusalLimit(() => rules(1));
  const { record, ...rest } = refused();
  const [million, twice] = [1_000_000, refusalBounds.clients + 1000];
  let [sent, stored] = [0, 0];
  const send = (n: number): void => {
    sent += 1;
    if (limit.admits({ ...rest, client: `10.${n >> 16}.${(n >> 8) & 255}.${n & 255}`, record })) stored += 1;
  };
  for (let n = 0; n < million; n += 1) send(n);
  for (let n = 0; n < twice; n += 1) send(n);
  assert.equal(stored, refusalBounds.clients + 1);
  assert.equal(limit.size, refusalBounds.clients + 1);
  const records = limit.take();
  assert.equal(stored + told(records), sent);
  const bytes = records.reduce((sum, { length }) => sum + length, 0);
  assert.ok(bytes < refusalBounds.evidenceBytes + records.length * 300, `${bytes} bytes`);
  const shared = records.map(named).filter((one) => one['sekisho.suppressed.shared'] === true);
  // Less the one that was stored, and the one that is shown.
  assert.deepEqual(
    shared.map((one) => one['sekisho.suppressed.count']),
    [sent - 2 * refusalBounds.clients - 2],
  );
});

test('who was not refused for long is forgotten when room is needed, who is still owed a count is not', () => {
  const limit = new RefusalLimit(() => rules(2, 60), { clients: 2, logs: 1, evidenceBytes: 10_000 });
  for (let n = 0; n < 3; n += 1) limit.admits(refused({ client: '10.0.0.1' }));
  limit.admits(refused({ client: '10.0.0.2' }));
  const later = { client: '10.0.0.3', received: 100_000 };
  assert.deepEqual(
    [1, 2, 3].map(() => limit.admits(refused(later))),
    [true, true, false],
  );
  assert.deepEqual(
    limit
      .take()
      .map(named)
      .map((one) => [one['client.address'], one['sekisho.suppressed.shared']]),
    [
      ['10.0.0.1', undefined],
      ['10.0.0.3', undefined],
    ],
  );
});

test('what is owed to clients that are refused seldom, but fast, is bounded, too', () => {
  const limit = new RefusalLimit(() => rules(1, 60_000), { clients: 3, logs: 1, evidenceBytes: 10_000 });
  for (let n = 0; n < 100; n += 1) {
    for (let twice = 0; twice < 2; twice += 1) limit.admits(refused({ client: `10.0.0.${n}`, received: n * 2000 }));
  }
  assert.ok(limit.take().length <= 4);
});

test('evidence beyond the bytes for it is reduced to who, why and when, until it was taken', () => {
  const limit = new RefusalLimit(() => rules(1), { clients: 10, logs: 1, evidenceBytes: 1500 });
  for (let round = 0; round < 2; round += 1) {
    for (const client of ['10.0.0.1', '10.0.0.2', '10.0.0.3']) {
      for (let n = 0; n < 3; n += 1) limit.admits(refused({ client }));
    }
    const records = limit.take().map(named);
    assert.deepEqual(
      records.map((one) => [one['client.address'], one['sekisho.denied.reason'], one['sekisho.suppressed.count']]),
      ['10.0.0.1', '10.0.0.2', '10.0.0.3'].map((client) => [client, 'host', 1 + round]),
    );
    assert.deepEqual(
      records.map((one) => one['sekisho.redactions']),
      [undefined, undefined, ['entry:dropped']],
    );
    assert.equal(records[2]?.['sekisho.truncated'], true);
    assert.equal(records[2]['client.port'], undefined);
  }
});

test('evidence does not keep the message alive out of which it came', () => {
  const limit = new RefusalLimit(() => rules(1));
  for (let n = 0; n < 2; n += 1) limit.admits(refused());
  const [{ entry } = assert.fail()] = limit.take();
  assert.equal(entry.buffer.byteLength, entry.length);
});

test('a record that is as long as one may be has room for its count', () => {
  const limit = new RefusalLimit(() => rules(1));
  for (const spare of [0, 20, 47, 48]) {
    const client = `10.0.0.${spare}`;
    const long = (size: number) => refused({ client, path: `/${'x'.repeat(size)}` });
    const size = 60_000 + recordLimit - spare - long(60_000).record.length;
    assert.deepEqual([long(size).record.length, long(size).record.truncated], [recordLimit - spare, false]);
    for (let n = 0; n < 3; n += 1) limit.admits(long(size));
  }
  const records = limit.take();
  assert.equal(records.length, 4);
  for (const record of records) {
    assert.ok(record.length <= recordLimit);
    assert.equal(named(record)['sekisho.suppressed.count'], 1);
  }
});
