import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { SekishoError } from '../../../src/base/errors.ts';
import { ConsoleCa, type Leaf } from '../../../src/control/ca/console-ca.ts';
import { DoorCertificates } from '../../../src/control/ca/door-certificates.ts';
import type { LeafNames } from '../../../src/control/ca/leaf-file.ts';
import { LeafStore } from '../../../src/control/ca/leaf-store.ts';
import { constraintsFor } from '../../../src/control/ca/name-constraints.ts';
import { temporary } from '../../support/serve.ts';
import { aloneState } from '../state/state-fixture.ts';
import { consoleChain, facts, FakeClock } from './ca-fixture.ts';

const names = ['signin.aws.example', '*.console.aws.example'];

describe('DoorCertificates', () => {
  it('gives one leaf for one set of names, however it is spelt and however many ask at once', async (t) => {
    const { doors } = await opened(t);
    const leaves = await Promise.all([
      doors.leafFor(names),
      doors.leafFor(names),
      doors.leafFor([...names].reverse()),
      doors.leafFor([...names, 'SIGNIN.aws.example']),
    ]);
    assert.equal(new Set(leaves.map(({ version }) => version)).size, 1);
    assert.equal(new Set(leaves.map(({ privateKey }) => privateKey)).size, 1);
    assert.notEqual((await doors.leafFor(names.slice(1))).version, leaves[0].version);
  });

  it('renews at two thirds of the life and says so once', async (t) => {
    const { doors, clock, renewals } = await opened(t);
    const first = await doors.leafFor(names);
    clock.advanceDays(19.9);
    await doors.renewDue();
    assert.deepEqual([await doors.leafFor(names), renewals.length], [first, 0]);

    clock.advanceDays(0.2);
    await doors.renewDue();
    await doors.renewDue();
    assert.deepEqual(renewals, [[{ hosts: [...names].sort(), addresses: [] }]]);
    const second = await doors.leafFor(names);
    assert.notEqual(second.version, first.version);
    assert.notEqual(second.privateKey, first.privateKey);
    assert.ok(second.notAfter > first.notAfter);
  });

  it('drops a leaf that nobody asked for since it was renewed', async (t) => {
    const { doors, clock, renewals } = await opened(t);
    await doors.leafFor(names);
    await doors.leafFor(['signin.aws.example']);
    clock.advanceDays(21);
    await doors.renewDue();
    assert.equal(renewals.at(-1)?.length, 2);
    await doors.leafFor(names);
    clock.advanceDays(21);
    await doors.renewDue();
    assert.deepEqual(renewals.at(-1)?.map(({ hosts }) => hosts), [[...names].sort()]); // prettier-ignore
  });

  it('never lets a leaf outlive the intermediate, and does not renew what could not live longer', async (t) => {
    const { doors, clock, renewals, ca } = await opened(t);
    clock.advanceDays(355);
    const last = await doors.leafFor(names);
    assert.equal(last.notAfter.getTime(), Date.parse(ca.intermediate.validTo));
    clock.advanceDays(9);
    await doors.renewDue();
    assert.deepEqual([await doors.leafFor(names), renewals.length], [last, 0]);
    clock.advanceDays(2);
    await assert.rejects(doors.leafFor(names), { code: 'ca_invalid' });
  });

  it('refuses names outside the constraints and no names at all, and forgets the failure', async (t) => {
    const { doors } = await opened(t);
    await assert.rejects(doors.leafFor(['evil.example']), { code: 'ca_invalid' });
    await assert.rejects(doors.leafFor(['evil.example']), { code: 'ca_invalid' });
    await assert.rejects(doors.leafFor([]), { code: 'ca_invalid' });
    await doors.leafFor(names);
  });

  it('keeps its leaves under the same CA read again, and makes them anew under another intermediate', async (t) => {
    const { doors, ca, clock } = await opened(t);
    const before = await doors.leafFor(names);
    assert.equal(doors.adopt(ca), false);
    assert.equal((await doors.leafFor(names)).version, before.version);

    const wider = await consoleCa(clock, [...facts.hosts, 'new.example']);
    assert.equal(doors.adopt(wider), true);
    assert.notEqual((await doors.leafFor(names)).version, before.version);
    const after = await doors.leafFor(['new.example']);
    assert.ok(after.certificateChain.endsWith(wider.intermediate.toString()));
  });

  it('keeps the old leaf when renewal fails, reports each failure, renews the others and tries again', async (t) => {
    const { ca, clock, renewals, doors } = await opened(t);
    const old = await doors.leafFor(names);
    await doors.leafFor(['signin.aws.example']);
    clock.advanceDays(21);
    ca.failFor = '*.console.aws.example';

    const controller = new AbortController();
    const failures: string[] = [];
    let rounds = 0;
    await doors.renewUntil(
      controller.signal,
      ({ code }) => failures.push(code),
      async () => {
        rounds++;
        assert.equal((await doors.leafFor(names)).version === old.version, rounds < 3);
        if (rounds === 2) ca.failFor = undefined;
        if (rounds === 3) controller.abort();
      },
    );
    assert.deepEqual(failures, ['disk_failed', 'disk_failed']);
    assert.deepEqual(renewals.map((renewed) => renewed.map(({ hosts }) => hosts)), [[['signin.aws.example']], [[...names].sort()]]); // prettier-ignore
  });

  it('makes a new leaf when asked after the old one ended unrenewed', async (t) => {
    const { clock, doors } = await opened(t);
    const old = await doors.leafFor(names);
    clock.advanceDays(31);
    const fresh = await doors.leafFor(names);
    assert.notEqual(fresh.version, old.version);
    assert.ok(fresh.notAfter.getTime() > clock.now());
  });

  it('renews by itself until the signal comes', async (t) => {
    const { doors, clock, renewals } = await opened(t);
    await doors.leafFor(names);
    const controller = new AbortController();
    const failures: unknown[] = [];
    await doors.renewUntil(
      controller.signal,
      (failure) => failures.push(failure),
      () => {
        clock.advanceDays(7);
        if (renewals.length === 1) controller.abort();
        return Promise.resolve();
      },
    );
    assert.deepEqual([clock.now() > 0, renewals.length, failures], [true, 1, []]);
  });

  it('ends at once when the signal comes during the pause', async (t) => {
    const { doors } = await opened(t);
    const controller = new AbortController();
    const failures: unknown[] = [];
    const done = doors.renewUntil(controller.signal, (failure) => failures.push(failure));
    controller.abort();
    await done;
    assert.deepEqual(failures, []);
  });
});

async function opened(t: TestContext) {
  const clock = new FakeClock();
  const ca = await consoleCa(clock);
  const renewals: (readonly LeafNames[])[] = [];
  const onRenewed = (renewed: readonly LeafNames[]) => void renewals.push(renewed);
  const store = new LeafStore(await aloneState(t, await temporary(t)));
  return { clock, ca, renewals, doors: new DoorCertificates({ ca, clock, store, onRenewed }) };
}

/** The CA with a fault that a test can switch on: signing for a set that holds one host fails. */
class FaultyCa extends ConsoleCa {
  failFor: string | undefined;

  override async issueLeaf(hosts: readonly string[], addresses: readonly string[], now: Date): Promise<Leaf> {
    if (this.failFor !== undefined && hosts.includes(this.failFor)) throw new SekishoError('disk_failed', 'planted');
    return super.issueLeaf(hosts, addresses, now);
  }
}

async function consoleCa(clock: FakeClock, hosts: readonly string[] = facts.hosts): Promise<FaultyCa> {
  const { root, intermediate } = await consoleChain(hosts, [], new Date(clock.now()));
  return new FaultyCa(root.certificate, intermediate, constraintsFor(hosts, []));
}
