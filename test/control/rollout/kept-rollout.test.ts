import assert from 'node:assert/strict';
import { test } from 'node:test';
import { keep, policyId, readAgain } from '../../../src/control/rollout/kept-policy.ts';
import { firstState } from '../../../src/control/rollout/machine.ts';
import { readKept, writeKept, type KeptRollout } from '../../../src/control/rollout/kept-rollout.ts';
import { loadPolicy } from '../../../src/policy/load.ts';
import type { Policy } from '../../../src/policy/policy.types.ts';
import { authority } from '../../policy/certificates.ts';

const hash = `$scrypt$ln=15,r=8,p=1$${'A'.repeat(22)}$${'A'.repeat(43)}`;
const text = `
fleet: {name: tokyo, egress: [51.44.71.80/32], nodes: {egress: [{id: egress-1}]}}
doors:
  - {name: office, on: egress, kind: forward, listen: 127.0.0.1:3128, users: {basic: users}}
console: {regions: [us-east-1], trust: trust.pem}
record: {assurance: stream}
rollout: {canary: [egress-1]}
resources: [extra/*.yaml]
`;
const own = `'@type': type.googleapis.com/envoy.config.cluster.v3.Cluster\nname: own\n`;
const files: Record<string, string> = {
  '/etc/sekisho/extra/own.yaml': own,
  '/etc/sekisho/trust.pem': authority,
  '/etc/sekisho/users': `taro:${hash}\n`,
};
const readFrom = (held: Record<string, string>) => (path: string) =>
  path in held ? Promise.resolve(Buffer.from(held[path] ?? '')) : Promise.reject(new Error('no such file'));

async function load(from = text): Promise<Policy> {
  const loaded = await loadPolicy({
    file: '/etc/sekisho/sekisho.yaml',
    text: from,
    readFile: readFrom(files),
    listFolder: () => Promise.resolve(['own.yaml', '.own.yaml.swp']),
  });
  assert.ok('policy' in loaded, JSON.stringify(loaded));
  return loaded.policy;
}

test('a policy that was kept is the same policy again, without the files that it named', async () => {
  const policy = await load();
  const kept = keep(policy);
  assert.doesNotMatch(JSON.stringify(kept), /scrypt/, 'nobody can try passwords on it');
  const again = await readAgain(kept, policy.file, { readFile: readFrom({ '/etc/sekisho/users': `taro:${hash}\n` }) });
  const withoutPlaces = ({ resources, ...rest }: Policy) => ({ ...rest, resources: resources.map(({ json }) => json) });
  assert.deepEqual(withoutPlaces(again), withoutPlaces(policy));
  assert.equal(again.resources.length, 1);
  assert.equal(policyId(again.source), policyId(policy.source));
  const withoutPeople = await readAgain(kept, policy.file, { readFile: readFrom({}) });
  const [door] = withoutPeople.doors;
  assert.ok(door?.users.kind === 'basic' && door.users.accounts.size === 0);
});

test('a text that is no policy any more is told with what is wrong with it', async () => {
  const kept = {
    text: text.replace('kind: forward', 'kind: sideways'),
    files: { 'trust.pem': authority, 'extra/own.yaml': own },
    folders: { extra: ['own.yaml'] },
  };
  await assert.rejects(readAgain(kept, '/etc/sekisho/sekisho.yaml', { readFile: readFrom(files) }), {
    code: 'state_invalid',
    message: /sekisho\.yaml:4:.*sideways/,
  });
});

test('another text or another certificate is another policy; people are not of it', async () => {
  const { source } = await load();
  const ids = [
    source,
    { ...source, text: `${text}# a comment\n` },
    { ...source, files: new Map([...source.files, ['trust.pem', 'another']]) },
    { ...source, files: new Map([...source.files, ['extra/own.yaml', `${own}connect_timeout: 1s\n`]]) },
    { ...source, files: new Map([...source.files, ['other.pem', authority]]) },
  ].map(policyId);
  assert.equal(
    policyId({ ...source, folders: new Map([['extra', ['own.yaml']]]) }),
    ids[0],
    'what an editor leaves there',
  );
  assert.equal(new Set(ids).size, ids.length);
  assert.match(ids[0] ?? '', /^[0-9a-f]{16}$/);
});

const kept = async (): Promise<KeptRollout> => ({
  state: {
    ...firstState('a'),
    wanted: 'b',
    phase: {
      kind: 'trial',
      since: 7,
      paused: false,
      soakedMs: 1234,
      soakingAt: null,
      traffic: {
        canary: { requests: 3, serverErrors: 2, denied: 1 },
        rest: { requests: 9, serverErrors: 0, denied: 0 },
      },
    },
    refused: [{ id: 'c', time: 5, cause: 'nack', text: 'egress-1 refused it' }],
  },
  policies: { a: keep(await load()) },
});

/** A state folder of one entry. */
function stateOf(bytes?: Buffer) {
  let held = bytes;
  return {
    read: () => Promise.resolve(held),
    write: (_: string, text: Uint8Array | string) => {
      held = Buffer.from(text);
      return Promise.resolve();
    },
    remove: () => {
      held = undefined;
      return Promise.resolve();
    },
  };
}

test('what is kept is read again as it was', async () => {
  const state = stateOf();
  assert.equal(await readKept(state), undefined);
  await writeKept(state, await kept());
  assert.deepEqual(await readKept(state), await kept());
  await writeKept(state, undefined);
  assert.equal(await readKept(state), undefined);
});

for (const [what, spoil] of Object.entries({
  'a torn entry': (whole: string) => whole.slice(0, 100),
  'an entry of a later version': (whole: string) => whole.replace('"format": 1', '"format": 2'),
  'a phase that nobody knows': (whole: string) => whole.replace('"trial"', '"error"'),
})) {
  test(`${what} is refused with what to do`, async () => {
    const state = stateOf();
    await writeKept(state, await kept());
    const spoilt = stateOf(Buffer.from(spoil(String(await state.read()))));
    await assert.rejects(readKept(spoilt), {
      code: 'state_invalid',
      message: /rollout\.json .* — restore it, or remove/,
    });
  });
}
