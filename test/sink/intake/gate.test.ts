import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SekishoError } from '../../../src/base/errors.ts';
import { readJournal } from '../../../src/sink/journal/reader.ts';
import { gateIntake, type Asker } from '../../../src/sink/intake/gate.ts';
import { decodeRecord } from '../../../src/sink/record/decode.ts';
import { nameRecord } from '../../../src/sink/record/name.ts';
import { redactionRules } from '../../../src/sink/record/redaction-rules.ts';
import { decodeAuthorizationRequest, type AuthorizationRequest } from '../../../src/wire/authorization.ts';
import { encode } from '../../../src/wire/proto-json.ts';
import { draws } from '../../base/draws.ts';
import { FaultyDisk } from '../../base/faulty-disk.ts';
import { dir, open, turn } from '../journal/fixture.ts';

const clock = { now: () => 1_795_442_040_554 };
const rules = redactionRules();
const asker: Asker = { node: 'egress-1', identity: 'certificate', log: 'office/http' };

function question(path = '/p?token=secret', headers: Record<string, string> = {}): AuthorizationRequest {
  const request = {
    source: { address: { socket_address: { address: '10.0.0.7', port_value: 4711 } } },
    request: {
      time: '2026-11-23T13:54:00.5Z',
      http: { method: 'PUT', host: 'a.example.com', path, scheme: 'https', protocol: 'HTTP/2', headers },
    },
  };
  return decodeAuthorizationRequest(encode('envoy.service.auth.v3.CheckRequest', { attributes: request }));
}

/** A journal that stores when the test says so. */
function held() {
  const waiting: (() => void)[] = [];
  const journal = {
    failing: undefined as SekishoError | undefined,
    append: () =>
      new Promise<number>((resolve) =>
        waiting.push(() => {
          resolve(0);
        }),
      ),
  };
  return { journal, waiting };
}

async function payloadsOn(disk: FaultyDisk): Promise<Buffer[]> {
  const payloads: Buffer[] = [];
  for await (const { payload } of readJournal({ dir, disk, onCorrupt: () => assert.fail('damaged') }))
    payloads.push(payload);
  return payloads;
}

const codeOf = (work: Promise<void>): Promise<string> =>
  work.then(
    () => 'stored',
    (caught: unknown) => SekishoError.from(caught).code,
  );

test('an intent says who asks for what, without secrets, as the access log would', async () => {
  const disk = new FaultyDisk();
  const { journal } = await open(disk);
  const intake = gateIntake({ journal, rules: () => rules, clock });
  await intake.take(asker, question(), { user: 'CN=taro,O=Example', tunnel: 'tunnel-1', id: 'id-1' });
  await journal.close();
  const [payload] = await payloadsOn(disk);
  assert.ok(payload !== undefined && !payload.includes('secret'));
  assert.deepEqual(nameRecord(decodeRecord(payload), 3), {
    time: '2026-11-23T13:54:00.500000000Z',
    'sekisho.index': 3,
    'sekisho.kind': 'intent',
    'user.id': 'taro',
    'tls.client.subject': 'CN=taro,O=Example',
    'client.address': '10.0.0.7',
    'client.port': 4711,
    'http.request.method': 'PUT',
    'url.scheme': 'https',
    'server.address': 'a.example.com',
    'url.path': '/p',
    'url.query': 'token=REDACTED',
    'network.protocol.name': 'http',
    'network.protocol.version': '2',
    'sekisho.stream_id': 'id-1',
    'sekisho.tunnel_id': 'tunnel-1',
    'sekisho.node': 'egress-1',
    'sekisho.door': 'office',
    'sekisho.log': 'office/http',
    'sekisho.received': '2026-11-23T13:54:00.554000000Z',
    'sekisho.identity': 'certificate',
    'sekisho.assurance': 'gate',
    'sekisho.redactions': ['request.path?token'],
  });
});

test('a question is answered when its intent is on disk, not before: a power cut at any moment keeps what was answered', async () => {
  const seen = new Set<number>();
  for (let seed = 0; seed < 10; seed += 1) {
    for (let operations = 1; operations < 12; operations += 1) {
      const disk = new FaultyDisk();
      const { journal } = await open(disk);
      disk.crashAt = disk.operations + operations;
      const intake = gateIntake({ journal, rules: () => rules, clock });
      const answered: string[] = [];
      const asking = ['/n0', '/n1', '/n2', '/n3'].map(async (path) => {
        await intake.take(asker, question(path), {});
        answered.push(path);
      });
      await Promise.race([disk.crashed, Promise.all(asking)]);
      await turn();
      seen.add(answered.length);
      const after = disk.afterCrash('power', draws(seed));
      const again = await open(after);
      const stored = (await payloadsOn(after)).map((payload) => decodeRecord(payload).entry.request?.path ?? '');
      assert.deepEqual(
        answered.filter((path) => !stored.includes(path)),
        [],
        `seed ${seed}, ${operations} operations`,
      );
      await again.journal.close();
    }
  }
  assert.ok(seen.has(0) && seen.has(4), [...seen].join());
});

test('while the disk refuses nothing waits for it: the question fails with what fails there', async () => {
  const { journal, waiting } = held();
  journal.failing = new SekishoError('disk_full', 'no space');
  const intake = gateIntake({ journal, rules: () => rules, clock });
  assert.equal(await codeOf(intake.take(asker, question(), {})), 'disk_full');
  assert.equal(waiting.length, 0);
});

test('a node that floods takes half of what may wait, and another one finds room', async () => {
  const { journal, waiting } = held();
  const intake = gateIntake({ journal, rules: () => rules, clock, waitingBytes: 10_000 });
  const ask = (node: string) => codeOf(intake.take({ ...asker, node }, question(), {}));
  const flood = Array.from({ length: 100 }, () => ask('egress-1'));
  assert.ok(intake.waitingBytes > 4500 && intake.waitingBytes < 5500, String(intake.waitingBytes));
  const other = ask('egress-2');
  for (const store of waiting) store();
  assert.equal(await other, 'stored');
  const answers = await Promise.all(flood);
  assert.deepEqual(new Set(answers), new Set(['stored', 'limit_exceeded']));
  assert.equal(intake.waitingBytes, 0);
  const again = ask('egress-1');
  for (const store of waiting) store();
  assert.equal(await again, 'stored');
});

const strange: Readonly<Record<string, AuthorizationRequest>> = {
  'without attributes': decodeAuthorizationRequest(Buffer.alloc(0)),
  'with a path of 64 KiB': question(`/${'a'.repeat(65_536)}`),
  'with a user agent of 64 KiB': question('/', { 'user-agent': 'ä'.repeat(40_000) }),
  'of a method that nobody knows': {
    ...question(),
    http: { method: 'BREW', scheme: '', host: '', path: '�', protocol: 'x' },
  },
  'whose address is no address': { ...question(), source: Buffer.from([0x0a, 0x05]) },
};
for (const [what, asked] of Object.entries(strange)) {
  test(`a question ${what} is on record, cut to what fits`, async () => {
    const disk = new FaultyDisk();
    const { journal } = await open(disk);
    const intake = gateIntake({ journal, rules: () => rules, clock });
    assert.equal(await codeOf(intake.take(asker, asked, { id: 'same' })), 'stored');
    assert.equal(await codeOf(intake.take(asker, asked, { id: 'same' })), 'stored');
    await journal.close();
    assert.equal((await payloadsOn(disk)).length, 2);
  });
}
