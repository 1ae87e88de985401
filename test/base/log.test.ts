import assert from 'node:assert/strict';
import { Writable } from 'node:stream';
import test from 'node:test';
import fc from 'fast-check';
import { SekishoError } from '../../src/base/errors.ts';
import type { LogOptions } from '../../src/base/log.ts';
import { createLog, logLevels, silentLog } from '../../src/base/log.ts';

test('a line is one JSON object with time, level and message before the facts', () => {
  const { log, lines } = logged();
  log.info('node came', { node: 'egress-1', doors: 2 });
  assert.deepEqual(lines(), [
    '{"time":"2026-11-24T00:00:00.000Z","level":"info","message":"node came","node":"egress-1","doors":2}',
  ]);
});

for (const [level, written] of [
  ['error', ['error']],
  ['warn', ['error', 'warn']],
  ['info', ['error', 'warn', 'info']],
  ['debug', ['error', 'warn', 'info', 'debug']],
] as const) {
  test(`at level ${level} it writes ${written.join(', ')}`, () => {
    const { log, objects } = logged({ level });
    for (const each of logLevels) log[each](each);
    assert.deepEqual(
      objects().map((line) => line['message']),
      written,
    );
  });
}

test('a child says its own facts and those of its parent, and a nearer fact wins', () => {
  const { log, objects } = logged();
  log.child({ part: 'intake', node: 'a' }).child({ node: 'b' }).warn('lost', { count: 3 });
  const { part, node, count } = objects()[0] ?? {};
  assert.deepEqual({ part, node, count }, { part: 'intake', node: 'b', count: 3 });
});

test('an error is written with its code, facts, cause and stack', () => {
  const { log, objects } = logged();
  log.error('stopped', {
    error: new SekishoError('disk_failed', 'no', { facts: { file: 'a' }, cause: new Error('EIO') }),
  });
  const error = objects()[0]?.['error'] as Record<string, unknown>;
  assert.equal(error['name'], 'SekishoError');
  assert.equal(error['code'], 'disk_failed');
  assert.deepEqual(error['facts'], { file: 'a' });
  assert.equal((error['cause'] as Record<string, unknown>)['message'], 'EIO');
  assert.match(String(error['stack']), /log\.test\.ts/);
});

test('for eyes a line is text, and neither message nor fact can begin another line or move the cursor', () => {
  const { log, lines } = logged({ human: true });
  log.warn('first\nsecond\u001b[2J', { 'a\nb': 'x\ny\u009b2J', n: 1 });
  assert.deepEqual(lines(), ['00:00:00.000 warn  first\\u000asecond\\u001b[2J  a\\u000ab="x\\ny\\u009b2J"  n=1']);
});

test('whether lines are for eyes follows the stream unless told', () => {
  const terminal = logged({}, { isTTY: true });
  terminal.log.info('x');
  assert.deepEqual(terminal.lines(), ['00:00:00.000 info  x']);
  const told = logged({ human: false }, { isTTY: true });
  told.log.info('x');
  assert.equal(told.objects().length, 1);
});

for (const key of [
  'password',
  'Authorization',
  'proxy-authorization',
  'set-cookie',
  'cookies',
  'access_token',
  'privateKey',
  'TLS_KEYS',
  'clientSecret',
]) {
  test(`the value under ${key} is withheld at any depth, in both forms`, () => {
    for (const human of [true, false]) {
      const { log, text } = logged({ human });
      log.info('x', { [key]: 'hush-1', deep: [{ [key]: { inner: 'hush-2' } }], map: new Map([[key, 'hush-3']]) });
      assert.doesNotMatch(text(), /hush/);
      assert.match(text(), /withheld/);
    }
  });
}

test('a key that only sounds like a secret is shown', () => {
  const { log, objects } = logged();
  log.info('x', { monkey: 'a', keyboard: 'b', tokenised: 'c', author: 'd' });
  const { monkey, keyboard, tokenised, author } = objects()[0] ?? {};
  assert.deepEqual(
    { monkey, keyboard, tokenised, author },
    { monkey: 'a', keyboard: 'b', tokenised: 'c', author: 'd' },
  );
});

test('no PEM block gets through, in message, fact or error, whole, cut off or escaped', () => {
  const pem = '-----BEGIN EC PRIVATE KEY-----\nHUSHHUSH\n-----END EC PRIVATE KEY-----';
  const { log, text } = logged();
  log.info(`before ${pem} between ${pem} after`, {
    text: `x ${pem} y`,
    cut: pem.slice(0, 45),
    escaped: JSON.stringify(pem),
    error: new Error(`cannot read ${pem}`),
  });
  assert.doesNotMatch(text(), /HUSH/);
  assert.match(text(), /before \[PEM withheld\] between \[PEM withheld\] after/);
});

test('any value can be logged, and a line stays one line of JSON', () => {
  const cycle: Record<string, unknown> = { n: 10n, f: () => 1, when: new Date(Number.NaN), bytes: Buffer.from('abc') };
  cycle['self'] = cycle;
  let deep: unknown = 'bottom';
  for (let i = 0; i < 1000; i++) deep = { deep };
  const { log, objects } = logged();
  log.info('x', { cycle, deep, long: 'y'.repeat(100_000), many: Array.from({ length: 10_000 }, (_, i) => i) });
  assert.equal(objects().length, 1);
  assert.ok(JSON.stringify(objects()[0]).length < 20_000);

  fc.assert(
    fc.property(fc.anything({ withBigInt: true, withDate: true, withMap: true, withSet: true }), (value) => {
      const each = logged();
      each.log.info('x', { value });
      return each.objects().length === 1;
    }),
  );
});

test('the silent log says nothing and has children', () => {
  assert.doesNotThrow(() => {
    silentLog.child({ a: 1 }).error('x', { b: 2 });
  });
});

function logged(options: LogOptions = {}, stream: { isTTY?: boolean } = {}) {
  const chunks: string[] = [];
  const sink = new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      chunks.push(chunk.toString());
      done();
    },
  });
  const clock = { now: () => Date.UTC(2026, 10, 24) };
  const log = createLog({ stream: Object.assign(sink, stream), clock, ...options });
  const text = () => chunks.join('');
  const lines = () => text().split('\n').slice(0, -1);
  return { log, text, lines, objects: () => lines().map((line) => JSON.parse(line) as Record<string, unknown>) };
}
