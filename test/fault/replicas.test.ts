import assert from 'node:assert/strict';
import { readdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { eventually, ownLoopback } from '../support/envoy.ts';
import { sekisho } from '../support/sekisho.ts';
import { end, makeHome, policyText, spawnServe, startServe, type Home, type Served } from '../support/serve.ts';

/** Term, margin, the time between two looks, and a process that is slow. */
const takenOverMs = 25_000;

test('when the holder of the lease is killed the other one takes it, and goes on with the certificates that there are', async (t) => {
  const { homes, state, share } = await twoHomes(t);
  const first = await share(0);
  const second = await share(1);
  assert.deepEqual([await held(first), await held(second)], [1, 0]);
  const leaves = await leavesIn(state);
  assert.ok(leaves.length > 0);

  await end(first, 'SIGKILL');
  await eventually('the other one holds the lease', async () => (await held(second)) === 1, takenOverMs);
  assert.deepEqual(await leavesIn(state), leaves, 'they have new names and nothing else');
  const fleet = await sekisho(['fleet', '--admin', `http://${homes[1].address}:18080`]);
  assert.match(
    fleet.stdout,
    new RegExp(`\\nControl plane \\S+:${second.child.pid} holds the lease since \\S+Z\\.\\n$`),
  );

  const third = await share(0);
  assert.deepEqual([await held(third), await held(second)], [0, 1]);
  const { stdout } = await sekisho(['fleet', '-o', 'json', '--admin', `http://${homes[0].address}:18080`]);
  const { lease } = JSON.parse(stdout) as { lease: { name: string; held: boolean; holder: string } };
  assert.deepEqual([lease.held, lease.holder.endsWith(`:${second.child.pid}`)], [false, true]);
  assert.ok(lease.name.endsWith(`:${third.child.pid}`));

  // One that stops gives the lease back, and nobody has to wait for the end of a term.
  const stopping = performance.now();
  assert.equal(await end(second, 'SIGTERM'), 0);
  await eventually('the third one holds the lease', async () => (await held(third)) === 1);
  assert.ok(performance.now() - stopping < 10_000);
});

test('a holder that stood still for longer than its lease writes nothing when it goes on, and serves what the new one wrote', async (t) => {
  const { state, share } = await twoHomes(t);
  const first = await share(0);
  const second = await share(1);
  const number = await newestLease(state);
  first.child.kill('SIGSTOP');
  await eventually('the other one holds the lease', async () => (await held(second)) === 1, takenOverMs);
  const files = await readdir(state);
  assert.equal(await newestLease(state), number + 1);
  const lines = first.lines.length;
  first.child.kill('SIGCONT');
  const line = await first.logged('another process holds the lease', lines);
  assert.match(String(line['holder']), new RegExp(`:${second.child.pid}$`));
  assert.deepEqual([await held(first), await held(second)], [0, 1]);
  assert.deepEqual((await readdir(state)).filter(isVisible), files.filter(isVisible));
  // It comes back when the other one leaves.
  await end(second, 'SIGTERM');
  await eventually('the first one holds the lease again', async () => (await held(first)) === 1);
});

test('a state directory that is out of reach stops nobody from serving, and is used again when it is back', async (t) => {
  const { state, share } = await twoHomes(t);
  const served = await share(0);
  await rename(state, `${state}.away`);
  const line = await served.logged('the state folder cannot be used');
  assert.deepEqual([line.level, line['code']], ['error', 'file_unreadable']);
  assert.equal((await served.readyz()).status, 200);
  await rename(`${state}.away`, state);
  await served.logged('the state folder can be used again');
  assert.equal(await held(served), 1);
});

const refused: Readonly<Record<string, { first: readonly string[]; second: readonly string[] }>> = {
  'and neither shares its state': { first: [], second: [] },
  'and only the first shares its state': { first: ['--state', 'one'], second: [] },
  'and only the second would share its state': { first: [], second: ['--state', 'one'] },
  'and each has a state directory of its own': { first: ['--state', 'one'], second: ['--state', 'two'] },
};
for (const [name, args] of Object.entries(refused)) {
  test(`a second control plane of one fleet is refused where there is a first ${name}`, async (t) => {
    const { homes, folder } = await twoHomes(t, 'one address');
    const placed = (words: readonly string[]) => words.map((word) => (word === '--state' ? word : join(folder, word)));
    const first = await startServe(t, homes[0], { args: placed(args.first) });
    const options = { data: join(folder, 'other'), args: placed(args.second) };
    const second = spawnServe(t, homes[1], options);
    assert.equal(await second.exited, 1);
    assert.match(
      second.words.join('\n'),
      new RegExp(`process ${first.child.pid} .* start both with the same --state DIR`),
    );
    assert.equal((await first.readyz()).status, 200);

    await end(first, 'SIGKILL');
    await startServe(t, homes[1], options);
  });
}

test('a control plane of a policy that names several is refused without a directory that they share', async (t) => {
  const { homes } = await twoHomes(t);
  const alone = spawnServe(t, homes[0]);
  assert.equal(await alone.exited, 1);
  assert.match(alone.words.join('\n'), /names 2 control planes.*--state DIR/);
  // A sink issues nothing.
  await startServe(t, homes[0], { args: ['--roles', 'sink'] });
});

test('the state directory of another fleet is refused', async (t) => {
  const { state, share } = await twoHomes(t);
  await end(await share(0), 'SIGTERM');
  const other = await makeHome(t, { fleet: 'osaka' });
  const strange = spawnServe(t, other, { args: ['--state', state] });
  assert.equal(await strange.exited, 1);
  assert.match(strange.words.join('\n'), /is that of the fleet tokyo/);
});

/** Two control planes of one fleet, on two addresses, with the same certificates. */
async function twoHomes(t: TestContext, planes: 'two addresses' | 'one address' = 'two addresses') {
  const addresses = [ownLoopback(), ownLoopback()] as const;
  const named = planes === 'two addresses' ? { planes: addresses } : {};
  const home = await makeHome(t, { address: addresses[0], ...named });
  const config = join(home.folder, 'second.yaml');
  await writeFile(config, policyText({ address: addresses[1], ...named }));
  const homes: readonly [Home, Home] = [home, { ...home, config, address: addresses[1] }];
  const state = join(home.folder, 'state');
  const share = (index: 0 | 1): Promise<Served> =>
    startServe(t, homes[index], { data: join(home.folder, `data-${index}`), args: ['--state', state] });
  return { homes, folder: home.folder, state, share };
}

function held(served: Served): Promise<number> {
  return served.metric('sekisho_lease_held');
}

/** The entries, whatever lease they were written under. */
async function leavesIn(state: string): Promise<string[]> {
  return (await readdir(state)).flatMap((name) => /^(door-.*)\.\d+\.\d+$/.exec(name)?.[1] ?? []).sort();
}

async function newestLease(state: string): Promise<number> {
  return Math.max(...(await readdir(state)).flatMap((name) => Number(/^lease\.(\d+)$/.exec(name)?.[1] ?? [])));
}

/** A file that is being written has a hidden name. */
function isVisible(name: string): boolean {
  return !name.startsWith('.');
}
