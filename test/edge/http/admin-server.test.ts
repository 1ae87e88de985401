import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import test from 'node:test';
import { createMetrics } from '../../../src/base/metrics.ts';
import type { AdminServerOptions } from '../../../src/edge/http/admin-server.ts';
import { adminServer } from '../../../src/edge/http/admin-server.ts';
import { ask, say } from './asking.ts';

test('a live process is healthy whether or not it is ready', async (t) => {
  const server = await admin(t, { readiness: () => ({ ready: false, reasons: ['the journal is being recovered'] }) });
  const answer = await ask(server, '/healthz');
  assert.equal(answer.status, 200);
  assert.deepEqual(JSON.parse(answer.body.toString()), { status: 'ok' });
});

test('readiness is asked at every request, and a process that is not ready says 503 and why', async (t) => {
  let reasons = ['the journal is being recovered'];
  const server = await admin(t, { readiness: () => ({ ready: reasons.length === 0, reasons }) });
  const before = await ask(server, '/readyz');
  assert.equal(before.status, 503);
  assert.deepEqual(JSON.parse(before.body.toString()), { ready: false, reasons });
  reasons = [];
  const after = await ask(server, '/readyz');
  assert.equal(after.status, 200);
  assert.deepEqual(JSON.parse(after.body.toString()), { ready: true, reasons: [] });
});

test('metrics come as Prometheus text', async (t) => {
  const metrics = createMetrics();
  metrics.counter({ name: 'sekisho_records_total', help: 'Records.' }).add({}, 7);
  const answer = await ask(await admin(t, { metrics: () => metrics.text() }), '/metrics');
  assert.equal(answer.headers['content-type'], 'text/plain; version=0.0.4; charset=utf-8');
  assert.match(answer.body.toString(), /^sekisho_records_total 7$/m);
});

for (const fleet of [{ nodes: [{ id: 'egress-1' }] }, [], 'text', null]) {
  test(`the fleet comes as JSON: ${JSON.stringify(fleet)}`, async (t) => {
    const answer = await ask(await admin(t, { fleet: () => fleet }), '/fleet');
    assert.equal(answer.headers['content-type'], 'application/json; charset=utf-8');
    assert.deepEqual(JSON.parse(answer.body.toString()), fleet);
  });
}

test('what is published comes as JSON; a process that publishes nothing says 404', async (t) => {
  const answer = await ask(await admin(t, { published: () => ({ targets: [] }) }), '/published');
  assert.deepEqual([answer.status, JSON.parse(answer.body.toString())], [200, { targets: [] }]);
  assert.equal((await ask(await admin(t), '/published')).status, 404);
});

test('an answer that fails is a 500 that tells the client nothing and the log everything', async (t) => {
  const logged: unknown[] = [];
  const log = {
    error: (_message: string, facts?: unknown) => logged.push(facts),
  } as unknown as AdminServerOptions['log'];
  const failure = new Error('inner detail');
  const server = await admin(t, { metrics: () => Promise.reject(failure), ...(log && { log }) });
  const answer = await ask(server, '/metrics');
  assert.equal(answer.status, 500);
  assert.doesNotMatch(answer.body.toString(), /inner detail/);
  assert.deepEqual(logged, [{ path: '/metrics', error: failure }]);
});

for (const [host, status] of [
  ['127.0.0.1', 200],
  ['127.0.0.1:18080', 200],
  ['127.9.9.9:1', 200],
  ['[::1]:18080', 200],
  ['localhost:18080', 200],
  ['LOCALHOST', 200],
  ['sekisho.localhost', 200],
  ['rebound.example', 421],
  ['rebound.example:18080', 421],
  ['localhost.example', 421],
  ['127.0.0.1.example', 421],
  ['10.0.0.5:18080', 421],
  ['[fd00::1]:18080', 421],
  ['[127.0.0.1', 421],
] as const) {
  test(`a request for host '${host}' gets ${status}`, async (t) => {
    const server = await admin(t, {});
    for (const path of ['/fleet', '/nothing']) {
      const { status: got } = await ask(server, path, { headers: { host } });
      assert.equal(got, path === '/nothing' && status === 200 ? 404 : status);
    }
  });
}

test('a request that names no host is turned away', async (t) => {
  assert.match(
    await say(await admin(t, {}), 'GET /fleet HTTP/1.1\r\nHost:\r\nConnection: close\r\n\r\n'),
    /^HTTP\/1\.1 421 /,
  );
  assert.match(await say(await admin(t, {}), 'GET /fleet HTTP/1.0\r\n\r\n'), /^HTTP\/1\.1 421 /);
});

for (const host of ['0.0.0.0', '::', '10.0.0.5', 'corp.example', '']) {
  test(`it does not listen on '${host}'`, async () => {
    await assert.rejects(adminServer({ ...quiet, host }), { code: 'policy_invalid' });
  });
}

test('it listens on ::1 and on localhost', async (t) => {
  for (const host of ['::1', 'localhost']) assert.equal((await ask(await admin(t, { host }), '/healthz')).status, 200);
});

for (const command of ['pause', 'resume', 'force', 'rollback'] as const) {
  test(`${command} is told to the rollout, and answered with the fleet as it is then`, async (t) => {
    const told: string[] = [];
    const fleet = () => ({ told: [...told] });
    const server = await admin(t, { command: (one) => told.push(one) > 0, fleet });
    const answer = await ask(server, `/fleet/${command}`, { method: 'POST', headers: { 'x-sekisho-operator': '1' } });
    assert.deepEqual([answer.status, told], [200, [command]]);
    assert.deepEqual(JSON.parse(answer.body.toString()), { done: true, fleet: { told: [command] } });
  });
}

/** Requests as a browser would send them for a page of somewhere else → status. None of them does anything. */
const fromAPage: Readonly<Record<string, readonly [Parameters<typeof ask>[2], number]>> = {
  'a form': [{ method: 'POST', headers: { 'content-type': 'application/x-www-form-urlencoded' }, body: 'a=b' }, 403],
  'fetch without CORS': [
    { method: 'POST', headers: { 'content-type': 'text/plain', origin: 'https://evil.example' } },
    403,
  ],
  'what fetch asks before it sends the header': [
    { method: 'OPTIONS', headers: { 'access-control-request-headers': 'x-sekisho-operator' } },
    405,
  ],
  'a name that leads to loopback': [
    { method: 'POST', headers: { host: 'evil.example', 'x-sekisho-operator': '1' } },
    421,
  ],
  'an image': [{ method: 'GET' }, 404],
};
for (const [what, [options, status]] of Object.entries(fromAPage)) {
  test(`${what} commands nothing`, async (t) => {
    const server = await admin(t, { command: () => assert.fail('it was told') });
    const answer = await ask(server, '/fleet/rollback', options);
    assert.equal(answer.status, status);
    assert.equal(answer.headers['access-control-allow-headers'], undefined);
  });
}

test('a command has no body; one that it cannot read is the fault of who sent it', async (t) => {
  const server = await admin(t, {});
  const headers = { 'x-sekisho-operator': '1', 'content-type': 'application/json' };
  assert.equal((await ask(server, '/fleet/pause', { method: 'POST', headers, body: '{' })).status, 400);
});

test('only commands take POST', async (t) => {
  const server = await admin(t, {});
  for (const path of ['/fleet', '/metrics', '/fleet/destroy']) {
    assert.equal((await ask(server, path, { method: 'POST', headers: { 'x-sekisho-operator': '1' } })).status, 405);
  }
});

const quiet: AdminServerOptions = {
  host: '127.0.0.1',
  port: 0,
  readiness: () => ({ ready: true, reasons: [] }),
  metrics: () => Promise.resolve(''),
  fleet: () => ({}),
  ledger: () => undefined,
  published: () => undefined,
  command: () => false,
};

async function admin(t: TestContext, options: Partial<AdminServerOptions> = {}) {
  const server = await adminServer({ ...quiet, ...options });
  t.after(() => server.close());
  return server;
}
