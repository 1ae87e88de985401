import assert from 'node:assert/strict';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { ConsoleCa } from '../../../src/control/ca/console-ca.ts';
import { DoorCertificates } from '../../../src/control/ca/door-certificates.ts';
import { LeafStore } from '../../../src/control/ca/leaf-store.ts';
import { constraintsFor } from '../../../src/control/ca/name-constraints.ts';
import type { Credential } from '../../../src/control/ca/sign.ts';
import type { StateFolder } from '../../../src/control/state/state-folder.ts';
import { temporary } from '../../support/serve.ts';
import { aloneState, sharedState } from '../state/state-fixture.ts';
import { consoleChain, facts, FakeClock, intermediateOf } from './ca-fixture.ts';

const names = ['signin.aws.example', '*.console.aws.example'];
const otherNames = ['signin.aws.example'];

test('a process that starts again shows the leaf that it showed before, byte for byte', async (t) => {
  const { folder, clock, ca } = await scene(t);
  const before = await aloneState(t, folder);
  const leaf = await doorsOf(before, ca, clock).doors.leafFor(names, ['127.0.0.1']);
  await before.close();
  assert.deepEqual(await doorsOf(await aloneState(t, folder), ca, clock).doors.leafFor(names, ['127.0.0.1']), leaf);
});

test('two processes show the same leaves, whoever is asked first; only the holder of the lease makes one', async (t) => {
  const { first, second, holder, other } = await pair(t);
  assert.deepEqual([first.held, second.held], [true, false]);
  const waiting = other.doors.leafFor(names);
  const leaf = await holder.doors.leafFor(names);
  assert.deepEqual(await waiting, leaf);
});

test('a renewal by the holder reaches the others, who renew nothing themselves', async (t) => {
  const { clock, holder, other, second } = await pair(t);
  const old = await holder.doors.leafFor(names);
  assert.deepEqual(await other.doors.leafFor(names), old);
  clock.advanceDays(21);
  await other.doors.renewDue();
  assert.deepEqual([await other.doors.leafFor(names), other.renewals.length], [old, 0]);

  const told = new Promise<void>((resolve) => {
    second.watch(resolve);
  });
  await holder.doors.renewDue();
  await told;
  await other.doors.refresh();
  await other.doors.refresh();
  const fresh = await holder.doors.leafFor(names);
  assert.notEqual(fresh.version, old.version);
  assert.deepEqual(await other.doors.leafFor(names), fresh);
  assert.deepEqual(other.renewals, [[{ hosts: [...names].sort(), addresses: [] }]]);
});

test('a process whose lease was taken while it signed shows what the new holder signed', async (t) => {
  const { elapsed, clock, first, second, holder, other } = await pair(t);
  const old = await holder.doors.leafFor(names);
  await other.doors.leafFor(names);
  clock.advanceDays(21);
  await second.look();
  elapsed.at += 15_000;
  await second.look();
  await other.doors.renewDue();
  const fresh = await other.doors.leafFor(names);
  assert.notEqual(fresh.version, old.version);

  // It has not looked since.
  await holder.doors.renewDue();
  assert.deepEqual([await holder.doors.leafFor(names), holder.renewals], [old, []]);
  await first.look();
  await holder.doors.refresh();
  assert.deepEqual(await holder.doors.leafFor(names), fresh);
});

test('who waits for a leaf that the holder does not make is told who that is, and makes it itself once it holds the lease', async (t) => {
  const { elapsed, second, other } = await pair(t, 200);
  await assert.rejects(other.doors.leafFor(names), { code: 'lease_elsewhere', facts: { holder: 'first' } });
  const waiting = other.doors.leafFor(otherNames);
  elapsed.at += 15_000;
  await second.look();
  assert.equal(second.held, true);
  await waiting;
  await other.doors.leafFor(names);
});

test('under a newer intermediate the holder makes its leaves anew; a process that has not got it yet shows these, too', async (t) => {
  const { clock, root, ca, holder, other, second } = await pair(t);
  const old = await holder.doors.leafFor(names);
  assert.deepEqual(await other.doors.leafFor(names), old);
  clock.advanceDays(1);
  const newer = consoleCa(root, await intermediateOf(root, facts.hosts, [], new Date(clock.now())));
  // The other one gets it first and goes on with what there is.
  assert.equal(other.doors.adopt(newer), true);
  assert.deepEqual(await other.doors.leafFor(names), old);
  assert.equal(other.doors.adopt(ca), true);

  holder.doors.adopt(newer);
  const fresh = await holder.doors.leafFor(names);
  assert.notEqual(fresh.version, old.version);
  await other.doors.refresh();
  assert.deepEqual(await other.doors.leafFor(names), fresh);
  assert.equal(second.held, false);
});

const damage: Readonly<Record<string, (text: string, ca: ConsoleCa, clock: FakeClock) => Promise<string>>> = {
  'is empty': () => Promise.resolve(''),
  'is cut': (text) => Promise.resolve(text.slice(0, -100)),
  'is no PEM': () => Promise.resolve('-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n'.repeat(3)),
  'has the key of another leaf': async (text, ca, clock) => {
    const { privateKey } = await ca.issueLeaf(names, [], new Date(clock.now()));
    return privateKey + text.slice(text.indexOf('-----BEGIN CERTIFICATE'));
  },
  'is that of other names': async (_, ca, clock) => {
    const { privateKey, certificateChain } = await ca.issueLeaf(otherNames, [], new Date(clock.now()));
    return privateKey + certificateChain;
  },
  'is of another root': async (_, __, clock) => {
    const { root, intermediate } = await consoleChain(facts.hosts, [], new Date(clock.now()));
    const { privateKey, certificateChain } = await consoleCa(root, intermediate).issueLeaf(
      names,
      [],
      new Date(clock.now()),
    );
    return privateKey + certificateChain;
  },
};
for (const [name, spoil] of Object.entries(damage)) {
  test(`a kept leaf that ${name} is shown to nobody; a new one takes its place`, async (t) => {
    const { folder, clock, ca } = await scene(t);
    const state = await aloneState(t, folder);
    const old = await doorsOf(state, ca, clock).doors.leafFor(names);
    const path = join(folder, await onlyLeaf(folder));
    await writeFile(path, await spoil(await readFile(path, 'utf8'), ca, clock));
    const fresh = await doorsOf(state, ca, clock).doors.leafFor(names);
    assert.notEqual(fresh.version, old.version);
    assert.deepEqual(await doorsOf(state, ca, clock).doors.leafFor(names), fresh);
    await onlyLeaf(folder);
  });
}

test('leaves that are over go from the folder, and so do those that nobody asks for any more', async (t) => {
  const { folder, clock, ca } = await scene(t);
  const state = await aloneState(t, folder);
  await doorsOf(state, ca, clock).doors.leafFor(otherNames);
  const { doors } = doorsOf(state, ca, clock);
  await doors.leafFor(names);
  clock.advanceDays(21);
  await doors.renewDue();
  assert.equal((await state.entries()).length, 2);
  clock.advanceDays(10);
  await doors.renewDue();
  await onlyLeaf(folder);
  clock.advanceDays(11);
  await doors.renewDue();
  assert.deepEqual(await state.entries(), []);
});

async function scene(t: TestContext) {
  const clock = new FakeClock();
  const { root, intermediate } = await consoleChain(facts.hosts, ['127.0.0.1'], new Date(clock.now()));
  return { folder: await temporary(t), clock, root, ca: consoleCa(root, intermediate) };
}

async function pair(t: TestContext, patienceMs?: number) {
  const { folder, clock, root, ca } = await scene(t);
  const elapsed = { at: 1_000 };
  const first = await sharedState(t, folder, 'first', elapsed);
  const second = await sharedState(t, folder, 'second', elapsed);
  const holder = doorsOf(first, ca, clock, patienceMs);
  return { elapsed, clock, root, ca, first, second, holder, other: doorsOf(second, ca, clock, patienceMs) };
}

function doorsOf(state: StateFolder, ca: ConsoleCa, clock: FakeClock, patienceMs = 10_000) {
  const renewals: unknown[] = [];
  const onRenewed = (renewed: unknown) => void renewals.push(renewed);
  return { renewals, doors: new DoorCertificates({ ca, clock, store: new LeafStore(state), onRenewed, patienceMs }) };
}

function consoleCa(root: Credential, intermediate: Credential): ConsoleCa {
  return new ConsoleCa(root.certificate, intermediate, constraintsFor(facts.hosts, ['127.0.0.1']));
}

async function onlyLeaf(folder: string): Promise<string> {
  const [only = '', ...more] = (await readdir(folder)).filter((name) => name.startsWith('door-'));
  assert.deepEqual(more, []);
  return only;
}
