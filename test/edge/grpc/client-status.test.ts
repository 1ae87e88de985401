import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { status, type ServiceError } from '@grpc/grpc-js';
import { Publisher } from '../../../src/control/xds/publisher.ts';
import { makeSnapshot } from '../../../src/control/xds/snapshot.ts';
import { clusterType, listenerType, secretType } from '../../../src/control/xds/type-urls.ts';
import { encodeAny } from '../../../src/wire/proto-json.ts';
import { Line } from '../../control/xds/line.ts';
import { node, snapshotOf } from '../../control/xds/model.ts';
import { dial } from '../../support/serve.ts';
import {
  fetchBytes,
  fetchStatus,
  openStatusStream,
  pki,
  readStatus,
  rowsOf,
  startClientStatus,
  statusRequest,
  type ClientStatusJson,
} from './client-status-fixture.ts';

test('of a secret nothing leaves but its name and its state, whoever asks and however', async (t) => {
  const pem = '-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----\n';
  const keys = {
    tls_certificate: { certificate_chain: { inline_string: 'chain' }, private_key: { inline_string: pem } },
  };
  const context = {
    '@type': `type.googleapis.com/${tls}.DownstreamTlsContext`,
    common_tls_context: { tls_certificates: [keys.tls_certificate] },
  };
  const listener = (name: string, context_: object): object => ({
    '@type': listenerType,
    name,
    filter_chains: [{ transport_socket: { name: 'tls', typed_config: context_ } }],
  });
  const inputs = [
    { '@type': secretType, name: 'office', ...keys },
    { '@type': secretType, name: 'password', generic_secret: { secret: { inline_string: 'hunter2' } } },
    { '@type': secretType, name: 'people', validation_context: { trusted_ca: { inline_string: 'authority' } } },
    listener('inline', context),
    listener('sds', {
      '@type': context['@type'],
      common_tls_context: { tls_certificate_sds_secret_configs: [{ name: 'office' }] },
    }),
  ] as { '@type': string; name: string }[];
  const publisher = new Publisher({ resolve: () => 'group' });
  publisher.publish(
    'group',
    makeSnapshot(inputs.map((json) => ({ type: json['@type'], name: json.name, bytes: encodeAny(json) }))),
  );
  const line = new Line({ publisher });
  line.ask(listenerType);
  line.ask(secretType, { subscribe: ['office', 'password', 'people'] });
  line.acknowledgeAll();
  const { to } = await startClientStatus(t, { publisher });
  const client = dial(t, to);
  const bytes = await fetchBytes(client, statusRequest({}));
  assert.ok(Buffer.isBuffer(bytes));
  for (const secret of ['PRIVATE KEY', 'chain', 'hunter2', 'c2VjcmV0', 'authority'])
    assert.ok(!bytes.includes(secret), secret);
  assert.deepEqual(
    rowsOf(readStatus(bytes)).map(({ name, configStatus, xdsConfig }) => [
      name,
      configStatus,
      Object.keys(xdsConfig ?? {}),
    ]),
    [
      ['inline', 'SYNCED', ['@type', 'name']],
      ['sds', 'SYNCED', ['@type', 'name', 'filterChains']],
      ['office', 'SYNCED', ['@type', 'name']],
      ['password', 'SYNCED', ['@type', 'name']],
      ['people', 'SYNCED', ['@type', 'name']],
    ],
  );
  const without = rowsOf(await fetchStatus(client, { exclude_resource_contents: true }));
  assert.equal(without.length, 5);
  assert.ok(without.every(({ xdsConfig, versionInfo }) => xdsConfig === undefined && versionInfo !== undefined));
});
const tls = 'envoy.extensions.transport_sockets.tls.v3';

const nodeIds = ['egress-1', 'egress-2', 'host-1', 'host-10'];
const matchers: readonly [what: string, nodeMatchers: object[], found: readonly string[]][] = [
  ['none', [], nodeIds],
  ['an empty one', [{}], nodeIds],
  ['an exact id', [{ node_id: { exact: 'egress-1' } }], ['egress-1']],
  ['a prefix', [{ node_id: { prefix: 'host' } }], ['host-1', 'host-10']],
  ['a suffix', [{ node_id: { suffix: '-1' } }], ['egress-1', 'host-1']],
  ['a part', [{ node_id: { contains: 'ess-' } }], ['egress-1', 'egress-2']],
  ['a part whatever its case', [{ node_id: { prefix: 'EGRESS', ignore_case: true } }], ['egress-1', 'egress-2']],
  ['one or the other', [{ node_id: { exact: 'host-1' } }, { node_id: { exact: 'egress-2' } }], ['egress-2', 'host-1']],
  ['an id that nobody has', [{ node_id: { exact: 'host' } }], []],
];
for (const [what, nodeMatchers, found] of matchers) {
  test(`node matchers: ${what} finds ${found.join(', ') || 'nobody'}`, async (t) => {
    const { to } = await startClientStatus(t, { publisher: fleetOf(nodeIds) });
    const { config = [] } = await fetchStatus(dial(t, to), { node_matchers: nodeMatchers });
    assert.deepEqual(
      config.map(({ node: { id } }) => id),
      found,
    );
  });
}

const bad: readonly [what: string, request: Buffer][] = [
  ['a criterion on metadata', statusRequest({ node_matchers: [{ node_metadatas: [{ path: [{ key: 'a' }] }] }] })],
  ['an extension as matcher', statusRequest({ node_matchers: [{ node_id: { custom: { name: 'a' } } }] })],
  ['a matcher without anything to match', statusRequest({ node_matchers: [{ node_id: {} }] })],
  ['an empty prefix', statusRequest({ node_matchers: [{ node_id: { prefix: '' } }] })],
  ['a regular expression', statusRequest({ node_matchers: [{ node_id: { safe_regex: { regex: 'host-.*' } } }] })],
  ['bytes that are no message', Buffer.from([0xff, 0xff, 0xff])],
];
for (const [what, request] of bad) {
  test(`a request with ${what} is refused with INVALID_ARGUMENT, once or in a stream`, async (t) => {
    const { to, failed } = await startClientStatus(t, { publisher: fleetOf(nodeIds) });
    const client = dial(t, to);
    const fetched = await fetchBytes(client, request);
    assert.ok(!Buffer.isBuffer(fetched));
    assert.equal(fetched.code, status.INVALID_ARGUMENT);
    const stream = openStatusStream(client);
    stream.write(request);
    const [error] = (await once(stream, 'error')) as [ServiceError];
    assert.equal(error.code, status.INVALID_ARGUMENT);
    assert.deepEqual(failed, ['request_malformed', 'request_malformed']);
  });
}

test('a stream answers each request by one response, with the state of that moment, until the client has asked enough', async (t) => {
  const publisher = fleetOf([]);
  const { to } = await startClientStatus(t, { publisher });
  const stream = openStatusStream(dial(t, to));
  const responses: ClientStatusJson[] = [];
  stream.on('data', (bytes: Buffer) => responses.push(readStatus(bytes)));
  stream.write(statusRequest({}));
  await once(stream, 'data');
  join(publisher, 'host-1');
  for (let n = 0; n < 20; n++) stream.write(statusRequest({ node_matchers: [{ node_id: { exact: 'host-1' } }] }));
  stream.end();
  const [ended] = (await once(stream, 'status')) as [{ code: status }];
  assert.equal(ended.code, status.OK);
  assert.deepEqual(
    responses.map(({ config = [] }) => config.length),
    [0, ...Array.from({ length: 20 }, () => 1)],
  );
});

test('a client that asks much and reads nothing has little worked out for it until it reads', async (t) => {
  const publisher = new Publisher({ resolve: () => 'group' });
  const bytes = encodeAny({ '@type': clusterType, name: 'a', alt_stat_name: 'x'.repeat(200_000) });
  publisher.publish('group', makeSnapshot([{ type: clusterType, name: 'a', bytes }]));
  join(publisher, 'egress-1');
  let described = 0;
  const count = { ...node, id: 'counts' };
  publisher.follow(count, {
    update: () => undefined,
    refuse: () => undefined,
    describe: () => {
      described += 1;
      return { stream: 0, node: count, resources: () => [] };
    },
  });
  const { to } = await startClientStatus(t, { publisher });
  const stream = openStatusStream(dial(t, to));
  let read = 0;
  stream.on('data', () => {
    read += 1;
    if (read === 1) stream.pause();
  });
  for (let n = 0; n < 200; n++) stream.write(statusRequest({}));
  await once(stream, 'data');
  // Other calls, asked later and answered: what the server could do for the first one by then it has done.
  const other = dial(t, to);
  for (let n = 0; n < 50; n++) await fetchBytes(other, statusRequest({ exclude_resource_contents: true }));
  described -= 50;
  assert.ok(described < 100, `${described} responses were made`);
  stream.resume();
  stream.end();
  await once(stream, 'end');
  assert.equal(read, 200);
});

test('only readers and operators may ask over TLS, and no node', async (t) => {
  const { to, failed } = await startClientStatus(t, { publisher: fleetOf(['egress-1']) });
  for (const role of ['reader', 'operator'] as const) {
    const { config } = await fetchStatus(dial(t, to, await pki.client(role, 'audit')));
    assert.equal(config?.length, 1);
  }
  const client = dial(t, to, await pki.client('node', 'egress-1'));
  const fetched = await fetchBytes(client, statusRequest({}));
  assert.ok(!Buffer.isBuffer(fetched));
  assert.equal(fetched.code, status.PERMISSION_DENIED);
  const stream = openStatusStream(client);
  stream.write(statusRequest({}));
  const [error] = (await once(stream, 'error')) as [ServiceError];
  assert.equal(error.code, status.PERMISSION_DENIED);
  assert.deepEqual(failed, ['identity_mismatch', 'identity_mismatch']);
});

test('what does not fit into one message is refused with a way to ask for less, and that way works', async (t) => {
  const publisher = fleetOf(nodeIds);
  const { to } = await startClientStatus(t, { publisher, limits: { responseBytes: 500 } });
  const client = dial(t, to);
  const fetched = await fetchBytes(client, statusRequest({}));
  assert.ok(!Buffer.isBuffer(fetched));
  assert.equal(fetched.code, status.RESOURCE_EXHAUSTED);
  assert.match(fetched.details, /node_matchers.*exclude_resource_contents/);
  const { config } = await fetchStatus(client, { node_matchers: [{ node_id: { exact: 'egress-2' } }] });
  assert.equal(config?.length, 1);
});

test('a response that just fits is the largest that is given', async (t) => {
  const publisher = fleetOf(nodeIds);
  const open = await startClientStatus(t, { publisher });
  const whole = await fetchBytes(dial(t, open.to), statusRequest({}));
  assert.ok(Buffer.isBuffer(whole));
  const fits = await startClientStatus(t, { publisher, limits: { responseBytes: whole.length } });
  assert.ok(Buffer.isBuffer(await fetchBytes(dial(t, fits.to), statusRequest({}))));
  const short = await startClientStatus(t, { publisher, limits: { responseBytes: whole.length - 1 } });
  assert.ok(!Buffer.isBuffer(await fetchBytes(dial(t, short.to), statusRequest({}))));
});

test('beyond the calls at a time nobody new is answered until one has ended', async (t) => {
  const { to, failed } = await startClientStatus(t, { publisher: fleetOf([]), limits: { calls: 1 } });
  const client = dial(t, to);
  const first = openStatusStream(client);
  first.write(statusRequest({}));
  await once(first, 'data');
  const refused = await fetchBytes(client, statusRequest({}));
  assert.ok(!Buffer.isBuffer(refused));
  assert.equal(refused.code, status.RESOURCE_EXHAUSTED);
  first.on('data', () => undefined);
  first.end();
  await once(first, 'status');
  assert.deepEqual(await fetchStatus(client), {});
  assert.deepEqual(failed, ['limit_exceeded']);
});

test('closing ends the streams with OK, and whoever comes later gets UNAVAILABLE', async (t) => {
  const { to, service, failed } = await startClientStatus(t, { publisher: fleetOf([]) });
  const client = dial(t, to);
  const stream = openStatusStream(client);
  stream.on('data', () => undefined);
  stream.write(statusRequest({}));
  await once(stream, 'data');
  const ended = once(stream, 'status');
  service.close();
  service.close();
  assert.equal(((await ended) as [{ code: status }])[0].code, status.OK);
  const late = await fetchBytes(client, statusRequest({}));
  assert.ok(!Buffer.isBuffer(late));
  assert.equal(late.code, status.UNAVAILABLE);
  assert.deepEqual(failed, []);
});

/** A publisher with one acknowledged cluster for each of these nodes. */
function fleetOf(ids: readonly string[]): Publisher {
  const publisher = new Publisher({ resolve: () => 'group' });
  publisher.publish('group', snapshotOf({ clusters: { a: { clusters: [] } } }));
  for (const id of ids) join(publisher, id);
  return publisher;
}

function join(publisher: Publisher, id: string): void {
  const line = new Line({ publisher });
  line.ask(clusterType, { node: { ...node, id } });
  line.ack(clusterType);
}
