import assert from 'node:assert/strict';
import { test } from 'node:test';
import { alsStream, type AlsObserver } from '../../../src/sink/intake/als.ts';
import type { Sender } from '../../../src/sink/intake/sender.ts';
import { RefusalLimit } from '../../../src/sink/intake/refusal-limit.ts';
import { frameHeaderBytes, readFrame } from '../../../src/sink/journal/format.ts';
import type { Frames } from '../../../src/sink/journal/frames.ts';
import { decodeRecord } from '../../../src/sink/record/decode.ts';
import { redactionRules } from '../../../src/sink/record/redaction-rules.ts';
import { bytesField } from '../../../src/wire/protobuf.ts';
import { alsMessage, consoleRequest, httpEntry, tcpEntry } from '../record/entries.ts';

const identifier = { node: { id: 'egress-1', cluster: 'tokyo' }, log_name: 'office/http' };
const request = httpEntry(consoleRequest());
const certificate: Sender = { kind: 'certificate', node: 'egress-1' };

interface Opened {
  readonly stream: { message(bytes: Buffer): Buffer[] };
  readonly told: unknown[][];
}

interface Opening {
  readonly identity?: Sender;
  readonly admits?: (node: string) => boolean;
  readonly now?: () => number;
  readonly refusals?: RefusalLimit;
}

function open(options: Opening = {}): Opened {
  const told: unknown[][] = [];
  const observer: AlsObserver = {
    message: (facts) => told.push(['message', facts.entries, facts.bytes]),
    redacted: (marks) => told.push(['redacted', marks]),
    incomplete: () => told.push(['incomplete']),
    suppressed: (node) => told.push(['suppressed', node]),
    refused: (reason, error) => told.push(['refused', reason, error.code]),
  };
  const { identity = certificate, admits, now = () => 1000, refusals = { admits: () => true } } = options;
  const rules = redactionRules();
  const given = { identity, rules: () => rules, clock: { now }, refusals, observer };
  const stream = alsStream({ ...given, ...(admits && { admits }) });
  return {
    stream: { message: (bytes) => payloadsOf(stream.message(bytes)) },
    told,
  };
}

/** As a reader of the journal finds them. */
function payloadsOf({ bytes, ends }: Frames): Buffer[] {
  return ends.map((end, index) => {
    const at = ends[index - 1] ?? 0;
    return readFrame(bytes, at, end - at - frameHeaderBytes) ?? assert.fail(`frame ${index} is not sound`);
  });
}

test('entries become records in their order, and their message is counted', () => {
  const { stream, told } = open();
  const paths = ['/1', '/2', '/3'];
  const message = alsMessage({ identifier, http: paths.map((path) => httpEntry(consoleRequest({ path }))) });
  const records = stream.message(message).map((record) => decodeRecord(record));
  assert.deepEqual(
    records.map(({ entry }) => entry.request?.path),
    paths,
  );
  assert.deepEqual(told, [['message', 3, message.length]]);
  const { node, log, kind, identity, received, redactions } = records[0] ?? assert.fail();
  assert.deepEqual(
    { node, log, kind, identity, received, redactions },
    {
      node: 'egress-1',
      log: 'office/http',
      kind: 'http',
      identity: 'certificate',
      received: 1_000_000_000n,
      redactions: [],
    },
  );
});

test('who sends is remembered from the first message, whose log later ones cannot change', () => {
  const { stream } = open();
  stream.message(alsMessage({ identifier, http: [] }));
  for (const later of [undefined, identifier, { ...identifier, log_name: 'other/http' }]) {
    const [record = assert.fail()] = stream.message(
      alsMessage({ ...(later && { identifier: later }), http: [request] }),
    );
    const { node, log } = decodeRecord(record);
    assert.deepEqual([node, log], ['egress-1', 'office/http']);
  }
});

/** name → first message's identifier, and what ends the stream. */
const refusals: Readonly<Record<string, readonly [identifier: object | undefined, code: string]>> = {
  'no identifier': [undefined, 'record_malformed'],
  'no node': [{ log_name: 'office/http' }, 'record_malformed'],
  'an empty node id': [{ node: { id: '' }, log_name: 'office/http' }, 'record_malformed'],
  'no log name': [{ node: { id: 'egress-1' } }, 'record_malformed'],
  'a node id of 256 characters': [{ ...identifier, node: { id: 'x'.repeat(256) } }, 'record_malformed'],
  "another node than the certificate's": [{ ...identifier, node: { id: 'egress-2' } }, 'identity_mismatch'],
};
for (const [name, [first, code]] of Object.entries(refusals)) {
  test(`a stream ends whose first message has ${name}`, () => {
    const { stream, told } = open();
    assert.throws(() => stream.message(alsMessage({ ...(first && { identifier: first }), http: [request] })), { code });
    assert.deepEqual(told, []);
  });
}

test('a stream ends whose first message is no message, while a later one is counted and the stream goes on', () => {
  const broken = Buffer.from([0x12, 0x7f]);
  assert.throws(() => open().stream.message(broken), { code: 'record_malformed' });
  const { stream, told } = open();
  stream.message(alsMessage({ identifier, http: [] }));
  assert.deepEqual(stream.message(broken), []);
  assert.deepEqual(told.at(-1), ['refused', 'malformed', 'record_malformed']);
  assert.equal(stream.message(alsMessage({ http: [request] })).length, 1);
});

test('a later message of another node ends the stream', () => {
  for (const identity of [certificate, { kind: 'loopback' } as const]) {
    const { stream } = open({ identity });
    stream.message(alsMessage({ identifier, http: [request] }));
    const changed = alsMessage({ identifier: { ...identifier, node: { id: 'egress-2' } }, http: [request] });
    assert.throws(() => stream.message(changed), { code: 'identity_mismatch' });
  }
});

test('a node that the policy does not know is refused, one that it knows is not', () => {
  const admits = (node: string): boolean => node === 'egress-1';
  assert.equal(open({ admits }).stream.message(alsMessage({ identifier, http: [request] })).length, 1);
  const stranger = alsMessage({ identifier: { ...identifier, node: { id: 'egress-9' } }, http: [request] });
  assert.throws(() => open({ admits, identity: { kind: 'loopback' } }).stream.message(stranger), {
    code: 'node_unknown',
  });
});

test('over loopback a node is who it says it is, and its records say how that is known', () => {
  const { stream } = open({ identity: { kind: 'loopback' } });
  const [record = assert.fail()] = stream.message(alsMessage({ identifier, http: [request] }));
  assert.equal(decodeRecord(record).identity, 'loopback');
});

test('TCP entries are connections where the log says so', () => {
  for (const [log_name, kind] of [
    ['office/connection', 'connection'],
    ['office/tcp', 'tcp'],
  ] as const) {
    const message = alsMessage({ identifier: { ...identifier, log_name }, tcp: [tcpEntry({ common_properties: {} })] });
    assert.deepEqual(
      open()
        .stream.message(message)
        .map((record) => decodeRecord(record).kind),
      [kind],
    );
  }
});

test('what was withheld is counted and marked', () => {
  const { stream, told } = open();
  const entry = httpEntry(consoleRequest({ path: '/?code=S&state=T' }));
  const [record = assert.fail()] = stream.message(alsMessage({ identifier, http: [entry] }));
  assert.deepEqual(decodeRecord(record).redactions, ['request.path?code', 'request.path?state']);
  assert.deepEqual(told.at(-1), ['redacted', 2]);
});

test('an entry without common properties is stored and counted', () => {
  const { stream, told } = open();
  const entry = httpEntry({ request: { path: '/' } });
  assert.equal(stream.message(alsMessage({ identifier, http: [entry] })).length, 1);
  assert.deepEqual(told.at(-1), ['incomplete']);
});

test('a bad entry is counted and left out, the good ones beside it stay', () => {
  const { stream, told } = open();
  const broken = Buffer.from([0x1a, 0x02, 0x2a, 0x7f]);
  const huge = Buffer.concat([httpEntry({ request: { path: '/?code=S' } }), bytesField(999, 'x'.repeat(70_000))]);
  const records = stream.message(alsMessage({ identifier, http: [request, broken, huge, request] }));
  assert.equal(records.length, 2);
  assert.deepEqual(told.slice(1), [
    ['refused', 'malformed', 'record_malformed'],
    ['refused', 'too_large', 'record_too_large'], // And neither incomplete nor redacted: it was not stored.
  ]);
});

test('what is no fault of an entry goes up', () => {
  const now = (): number => {
    throw new TypeError('no clock');
  };
  assert.throws(() => open({ now }).stream.message(alsMessage({ identifier, http: [request] })), TypeError);
});

const deniedEntry = (path = '/') =>
  httpEntry(consoleRequest({ path }, { custom_tags: { client: '10.0.0.7:4711', denied: 'host' } }));
const limit = (burst: number) => new RefusalLimit(() => ({ burst, rate: 1, tallySeconds: 60 }));

test('refusals beyond the limit are left out, told with their node, and count as one client on all streams of a sink', () => {
  const refusals = limit(3);
  const [one, other] = [open({ refusals }), open({ refusals })];
  const message = alsMessage({ identifier, http: [deniedEntry(), request, deniedEntry()] });
  assert.equal(one.stream.message(message).length, 3);
  assert.equal(other.stream.message(message).length, 2);
  assert.deepEqual(other.told.slice(1), [['suppressed', 'egress-1']]);
  assert.equal(one.stream.message(message).length, 1);
});

test('whoever is not refused is never limited, whatever AWS answers, and however a tunnel is recorded', () => {
  const refusals = limit(1);
  const forbidden = httpEntry(consoleRequest({}, {}, { response_code: { value: 403 } }));
  const periodic = tcpEntry({
    common_properties: { access_log_type: 'TcpPeriodic', custom_tags: { client: '10.0.0.7:1' } },
  });
  for (const [log_name, entries] of [
    ['office/http', { http: [request, forbidden, httpEntry(consoleRequest({ path: '/?\u0006denied=\u0006barred' }))] }],
    ['office/connect', { http: [request, httpEntry(consoleRequest({ user_agent: 'denied barred' }))] }],
    ['office/tcp', { tcp: [periodic, periodic, periodic] }],
  ] as const) {
    const { stream, told } = open({ refusals });
    const count = Object.values(entries).flat().length;
    for (let round = 0; round < 5; round += 1) {
      assert.equal(stream.message(alsMessage({ identifier: { ...identifier, log_name }, ...entries })).length, count);
    }
    assert.ok(told.every(([what]) => what !== 'suppressed'));
  }
  assert.equal(refusals.size, 0);
});

test('a secret in a refusal that is only counted is withheld from the record that shows it', () => {
  const refusals = limit(1);
  const { stream } = open({ refusals });
  stream.message(alsMessage({ identifier, http: [deniedEntry(), deniedEntry('/?code=S'), deniedEntry('/?code=T')] }));
  const [{ length, entry, marks } = assert.fail(), ...others] = refusals.take();
  assert.deepEqual([others, marks], [[], ['request.path?code']]);
  assert.ok(length > entry.length && !entry.includes('code=T'));
});
