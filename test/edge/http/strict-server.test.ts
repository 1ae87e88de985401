import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import { connect } from 'node:net';
import test from 'node:test';
import { listenFailure } from '../../../src/edge/http/listen-failure.ts';
import { strictServer } from '../../../src/edge/http/strict-server.ts';
import { ask } from './asking.ts';

test('a port that is taken is told as such, with its number', async (t) => {
  const first = await strictServer({ host: '127.0.0.1', port: 0 }, () => undefined);
  t.after(() => first.close());
  await assert.rejects(
    strictServer({ host: '127.0.0.1', port: first.port }, () => undefined),
    {
      code: 'address_in_use',
      facts: { host: '127.0.0.1', port: first.port },
    },
  );
});

test('an address of another machine is wrong use', async () => {
  await assert.rejects(
    strictServer({ host: '192.0.2.1', port: 0 }, () => undefined),
    { code: 'usage' },
  );
});

for (const [errno, code] of [
  ['EADDRINUSE', 'address_in_use'],
  ['EADDRNOTAVAIL', 'usage'],
  ['EACCES', 'usage'],
  ['ENOTFOUND', 'usage'],
  ['EMFILE', 'internal'],
] as const) {
  test(`${errno} becomes ${code}`, () => {
    assert.equal(listenFailure(Object.assign(new Error('x'), { code: errno }), '::1', 80).code, code);
  });
}

test('closing lets an answer under way finish, hangs up on idle connections, and may be done twice', async () => {
  const events = new EventEmitter();
  const server = await strictServer({ host: '127.0.0.1', port: 0 }, (app) => {
    app.get('/wait', async () => {
      events.emit('asked');
      await once(events, 'go');
      return { done: true };
    });
  });
  const idle = connect({ host: server.host, port: server.port });
  await once(idle, 'connect');
  const asked = once(events, 'asked');
  const answer = ask(server, '/wait');
  await asked;
  const closed = Promise.all([server.close(), server.close()]);
  events.emit('go');
  assert.equal((await answer).status, 200);
  await closed;
  await server.close();
  if (!idle.closed) await once(idle.resume(), 'close');
  await assert.rejects(ask(server, '/wait'));
});

test('closing does not wait for an answer that never comes', { timeout: 10_000 }, async () => {
  const events = new EventEmitter();
  const server = await strictServer({ host: '127.0.0.1', port: 0 }, (app) => {
    app.get('/never', () => {
      events.emit('asked');
      return new Promise(() => undefined);
    });
  });
  const asked = once(events, 'asked');
  const answer = assert.rejects(ask(server, '/never'));
  await asked;
  await server.close();
  await answer;
});
