import assert from 'node:assert/strict';
import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { temporary } from '../../support/serve.ts';
import { aloneState, sharedState } from './state-fixture.ts';

test('what one process wrote, the next one reads: for the owner alone, as whole files, and none that is over', async (t) => {
  const folder = join(await temporary(t), 'data', 'state');
  const first = await aloneState(t, folder);
  assert.deepEqual([first.held, await first.read('a.json')], [true, undefined]);
  await first.write('a.json', 'one');
  await first.write('a.json', 'two');
  await first.write('b.json', 'three');
  await first.remove('b.json');
  await first.close();

  const second = await aloneState(t, folder);
  assert.equal(second.id, first.id);
  assert.equal(String(await second.read('a.json')), 'two');
  assert.deepEqual(await second.entries(), ['a.json']);
  const files = (await readdir(folder)).filter((name) => !name.startsWith('lock.'));
  assert.deepEqual(files, ['a.json.2.1', 'state.json.2.2']);
  assert.equal((await stat(folder)).mode & 0o777, 0o700);
  for (const file of files) assert.equal((await stat(join(folder, file))).mode & 0o777, 0o600);
});

test('a folder of one process has no second opener, and loses nothing by a process that stands still', async (t) => {
  const folder = await temporary(t);
  const state = await aloneState(t, folder);
  await assert.rejects(aloneState(t, folder), { code: 'folder_in_use' });
  assert.deepEqual([state.held, state.standing().holder?.name], [true, 'alone']);
});

test('of two who share a folder the first holds the lease, and both read what it writes', async (t) => {
  const { first, second } = await shared(t);
  assert.deepEqual([first.held, second.held, second.id], [true, false, first.id]);
  assert.equal(second.standing().holder?.name, 'first');
  await first.write('a.json', 'one');
  assert.equal(String(await second.read('a.json')), 'one');
  await assert.rejects(second.write('a.json', 'mine'), { code: 'lease_lost' });
  await assert.rejects(second.remove('a.json'), { code: 'lease_lost' });
  assert.equal(String(await first.read('a.json')), 'one');
});

test('a change is told to whoever watches, and so is the lease when it comes', async (t) => {
  const { first, second } = await shared(t);
  const told = new Promise<void>((resolve) => {
    second.watch(resolve);
  });
  await first.write('a.json', 'one');
  await told;
  const taken = new Promise<void>((resolve) => {
    second.watch(() => {
      if (second.held) resolve();
    });
  });
  await first.close();
  await second.look();
  await taken;
});

test('a holder that is silent for term and margin is followed by another one, and finds out before it writes again', async (t) => {
  const { first, second, clock } = await shared(t);
  await first.write('a.json', 'one');
  clock.at += 9_000;
  await first.look();
  await second.look();
  clock.at += 14_000;
  await second.look();
  assert.deepEqual([first.held, second.held], [false, false], 'its own time is over before anybody else has one');
  await assert.rejects(first.write('a.json', 'late'), { code: 'lease_lost' });
  clock.at += 1_000;
  await second.look();
  assert.deepEqual([second.held, second.standing().holder?.name], [true, 'second']);
  assert.equal(String(await second.read('a.json')), 'one');
  await second.write('a.json', 'two');

  await first.look();
  assert.deepEqual([first.held, first.standing().holder?.name], [false, 'second']);
  assert.equal(String(await first.read('a.json')), 'two');
});

test('a holder whose time is over goes on where nobody took its place', async (t) => {
  const { first, clock } = await shared(t);
  clock.at += 60_000;
  assert.equal(first.held, false);
  await first.look();
  assert.equal(first.held, true);
  await first.write('a.json', 'one');
});

test('a lease that was given back is taken at the next look, and one that nobody finished writing after term and margin', async (t) => {
  const { folder, first, second, clock } = await shared(t);
  await first.close();
  await second.look();
  assert.equal(second.held, true);
  await writeFile(join(folder, 'lease.3'), '');
  await second.look();
  assert.equal(second.held, false);
  assert.deepEqual([second.standing().holder, await readFile(join(folder, 'lease.3'), 'utf8')], [undefined, '']);
  clock.at += 15_000;
  await second.look();
  assert.equal(second.held, true);
});

test('a folder that one process had to itself can be shared, with all that is in it', async (t) => {
  const folder = await temporary(t);
  const before = await aloneState(t, folder);
  await before.write('a.json', 'one');
  await before.close();
  const { first, second } = await shared(t, folder);
  assert.deepEqual([first.held, first.id, String(await second.read('a.json'))], [true, before.id, 'one']);
});

const strange: Readonly<Record<string, string>> = {
  'of another fleet': JSON.stringify({ format: 1, fleet: 'osaka', id: '0123456789abcdef' }),
  'of a later version': JSON.stringify({ format: 2, fleet: 'tokyo', id: '0123456789abcdef' }),
  'that somebody edited': '{',
};
for (const [name, text] of Object.entries(strange)) {
  test(`a state folder ${name} is refused and left as it is`, async (t) => {
    const folder = await temporary(t);
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, 'state.json.1.1'), text);
    await assert.rejects(sharedState(t, folder, 'any', { at: 0 }), { code: 'state_invalid', facts: { path: folder } });
    await assert.rejects(aloneState(t, folder), { code: 'state_invalid' });
    assert.deepEqual(await readdir(folder), ['state.json.1.1']);
  });
}

async function shared(t: TestContext, dir?: string) {
  const folder = dir ?? (await temporary(t));
  const clock = { at: 1_000 };
  const first = await sharedState(t, folder, 'first', clock);
  return { folder, clock, first, second: await sharedState(t, folder, 'second', clock) };
}
