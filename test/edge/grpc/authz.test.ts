import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { Metadata, status, type Client, type ServiceError } from '@grpc/grpc-js';
import { SekishoError } from '../../../src/base/errors.ts';
import { authorizationService } from '../../../src/edge/grpc/authz.ts';
import { callerOf } from '../../../src/edge/grpc/caller.ts';
import { startGrpcServer } from '../../../src/edge/grpc/server.ts';
import type { Accounts, Policy } from '../../../src/policy/policy.types.ts';
import type { Attempt, Verdict } from '../../../src/sink/users/gatekeeper.ts';
import { decode, encode } from '../../../src/wire/proto-json.ts';
import { door, policy } from '../../support/policies.ts';
import { dial } from '../../support/serve.ts';
import { sharedPki } from './fixture.ts';

const pki = await sharedPki();
const foreign = await sharedPki('osaka');
const egress1 = await pki.client('node', 'egress-1');
const egress2 = await pki.client('node', 'egress-2');
const host1 = await pki.client('node', 'host-1');

const accounts: Accounts = new Map();
const fleet = {
  ...policy().fleet,
  groups: [
    { name: 'egress', nodes: [{ id: 'egress-1' }] },
    { name: 'host', nodes: [], pattern: { match: 'host-*', max: 2 } },
  ],
};
const doors = [
  door({ users: { kind: 'basic', accounts } }),
  door({ name: 'lab', listen: { host: '127.0.0.1', port: 3129 } }),
];

const question = encode('envoy.service.auth.v3.CheckRequest', {
  attributes: {
    source: { address: { socket_address: { address: '10.0.0.7', port_value: 4711 } } },
    request: { http: { headers: { 'proxy-authorization': 'Basic x' } } },
  },
});

/** A server whose gatekeeper says this of everybody, on loopback. */
async function house(
  t: TestContext,
  verdict: Verdict | SekishoError = { user: 'taro' },
  policies: readonly [Policy, ...Policy[]] = [policy({ fleet, doors })],
) {
  const attempts: Attempt[] = [];
  const decided: string[] = [];
  const failed: string[] = [];
  const service = authorizationService({
    policies: () => policies,
    identify: (call) => callerOf(call, 'tokyo'),
    gatekeeper: {
      check: (attempt) => {
        attempts.push(attempt);
        return verdict instanceof SekishoError ? Promise.reject(verdict) : Promise.resolve(verdict);
      },
    },
    gate: { take: () => Promise.reject(new Error('nothing leaves here')) },
    decided: (result) => decided.push(result),
    recorded: () => undefined,
    failed: (caught) => failed.push(SekishoError.from(caught).code),
  });
  const server = await startGrpcServer({
    listen: { host: '127.0.0.1', port: 0 },
    credentials: await pki.server(),
    services: [service],
    arrived: () => undefined,
    refused: () => undefined,
  });
  t.after(() => server.close(0));
  return { to: `127.0.0.1:${server.port}`, attempts, decided, failed };
}

const same = (bytes: Buffer): Buffer => bytes;

/** The answer as protobufjs reads it, or the error. */
function ask(client: Client, doorName = 'office', bytes = question): Promise<unknown> {
  const metadata = new Metadata();
  metadata.set('x-sekisho-door', doorName);
  return new Promise((resolve) => {
    const answered = (error: ServiceError | null, answer?: Buffer): void => {
      resolve(error?.code ?? decode('envoy.service.auth.v3.CheckResponse', answer ?? Buffer.alloc(0)));
    };
    client.makeUnaryRequest('/envoy.service.auth.v3.Authorization/Check', same, same, bytes, metadata, answered);
  });
}

test('a node asks for its door: the gatekeeper gets the people of the door, client and header, and Envoy the name', async (t) => {
  const { to, attempts, decided } = await house(t);
  assert.deepEqual(await ask(dial(t, to, egress1)), {
    status: {},
    okResponse: {},
    dynamicMetadata: { user: 'taro' },
  });
  assert.deepEqual(attempts, [{ accounts, client: '10.0.0.7', header: 'Basic x' }]);
  assert.equal(attempts[0]?.accounts, accounts);
  assert.deepEqual(decided, ['allowed']);
});

const refusals: [Verdict & { denied: string }, number, Record<string, string>][] = [
  [{ denied: 'no_credentials' }, 407, { 'proxy-authenticate': 'Basic realm="sekisho office", charset="UTF-8"' }],
  [{ denied: 'wrong_credentials' }, 407, { 'proxy-authenticate': 'Basic realm="sekisho office", charset="UTF-8"' }],
  [{ denied: 'locked', retryMs: 1_799_001 }, 429, { 'retry-after': '1800' }],
  [{ denied: 'busy', retryMs: 1000 }, 503, { 'retry-after': '1' }],
];
for (const [verdict, code, headers] of refusals) {
  test(`${verdict.denied} is a ${code} with what a client needs, and the reason for the record`, async (t) => {
    const { to, decided } = await house(t, verdict);
    const answer = (await ask(dial(t, to, egress1))) as {
      deniedResponse: {
        status: { code: unknown };
        headers: { header: { key: string; value: string } }[];
        body: string;
      };
      dynamicMetadata: unknown;
    };
    assert.deepEqual(answer.dynamicMetadata, { denied: verdict.denied });
    const { deniedResponse } = answer;
    const sent = deniedResponse.headers.map(({ header }) => [header.key, header.value]);
    assert.deepEqual(Object.fromEntries(sent), headers);
    assert.match(deniedResponse.body, /^sekisho: [^\n]+\n$/);
    assert.deepEqual(decided, [verdict.denied]);
  });
}

test('only a node that opens the door may ask, and a process of this host', async (t) => {
  const { to, attempts, failed } = await house(t);
  assert.equal(await ask(dial(t, to, egress2)), status.NOT_FOUND);
  assert.equal(await ask(dial(t, to, host1)), status.PERMISSION_DENIED);
  const server = await pki.server();
  const asServer = {
    ca: egress1.ca,
    key: Buffer.from(server.privateKey),
    certificate: Buffer.from(server.certificate),
  };
  assert.equal(await ask(dial(t, to, asServer)), status.UNAVAILABLE);
  const stranger = await foreign.client('node', 'egress-1');
  assert.equal(await ask(dial(t, to, { ...stranger, ca: egress1.ca })), status.UNAVAILABLE);
  assert.equal(await ask(dial(t, to, await pki.nobody())), status.UNAVAILABLE);
  assert.equal(attempts.length, 0);
  assert.deepEqual(failed, ['node_unknown', 'identity_mismatch']);
  assert.notEqual(await ask(dial(t, to)), status.PERMISSION_DENIED);
  assert.equal(attempts.length, 1);
});

test('a door without people, an unknown one and bytes that are no question are errors, so that Envoy keeps its door closed', async (t) => {
  const { to, attempts, failed } = await house(t);
  const client = dial(t, to, egress1);
  assert.equal(await ask(client, 'lab'), status.INVALID_ARGUMENT);
  assert.equal(await ask(client, 'elsewhere'), status.INVALID_ARGUMENT);
  assert.equal(await ask(client, ''), status.INVALID_ARGUMENT);
  assert.equal(await ask(client, 'office', Buffer.from([0xff])), status.INVALID_ARGUMENT);
  assert.equal(attempts.length, 0);
  assert.equal(failed.length, 4);
});

test('while a change is on its way, a door of before has its people, and a door of both has those of the file', async (t) => {
  const [before, now, moved] = [accounts, new Map(), new Map()];
  const basic = (name: string, people: Accounts, on = 'egress') =>
    door({ name, on, users: { kind: 'basic', accounts: people } });
  const { to, attempts } = await house(t, { user: 'taro' }, [
    policy({ fleet, doors: [basic('both', now), basic('moved', moved, 'host')] }),
    policy({ fleet, doors: [basic('both', before), basic('moved', before), basic('office', before)] }),
  ]);
  const client = dial(t, to, egress1);
  for (const name of ['both', 'office', 'moved']) await ask(client, name);
  await ask(dial(t, to, host1), 'moved');
  assert.equal(attempts.length, 4);
  [now, before, before, moved].forEach((people, n) => {
    assert.equal(attempts[n]?.accounts, people);
  });
});

test('what goes wrong inside is an error that says nothing of it', async (t) => {
  const { to, failed, decided } = await house(t, new SekishoError('internal', 'the thread has ended'));
  assert.equal(await ask(dial(t, to, egress1)), status.INTERNAL);
  assert.deepEqual([failed, decided], [['internal'], []]);
});
