import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rolloutJson } from '../../../src/control/rollout/rollout-json.ts';
import type { RolloutState } from '../../../src/control/rollout/rollout.types.ts';
import { door } from '../../support/policies.ts';
import { groups, revision, SmallFleet, withoutRollout, type Reluctance } from './small-fleet.ts';

/** A fleet of two named nodes and a host that run `a`, the canary of which may be reluctant. */
function fleetOf(reluctance: Reluctance = {}): SmallFleet {
  const fleet = new SmallFleet(revision('a'));
  fleet.connect('egress-1', reluctance);
  fleet.connect('egress-2');
  fleet.connect('host-1');
  return fleet;
}

const json = (fleet: SmallFleet) => rolloutJson(fleet.rollout, fleet.clock.now());
const ports = (fleet: SmallFleet) => ['egress-1', 'egress-2'].map((id) => fleet.portOf(id));
const good = (fleet: SmallFleet) => {
  fleet.pass(4);
  fleet.report(['egress-1', 60], ['egress-2', 60]);
};

test('a change goes to the canary, and to the others after soak and traffic', () => {
  const fleet = fleetOf();
  fleet.rollout.want(revision('b', { port: 4000 }));
  assert.deepEqual(ports(fleet), [4000, 3128]);
  assert.deepEqual([json(fleet)?.state, json(fleet)?.canaries], ['canary', ['egress-1']]);
  good(fleet);
  assert.deepEqual(ports(fleet), [4000, 3128]);
  fleet.pass(1);
  assert.deepEqual([ports(fleet), json(fleet)?.state], [[4000, 4000], 'spreading']);
  fleet.pass(5);
  assert.deepEqual([ports(fleet), json(fleet)?.state], [[4000, 4000], 'steady']);
  assert.deepEqual(
    fleet.changes
      .filter(({ phase }, n) => phase.kind !== fleet.changes[n - 1]?.phase.kind)
      .map(({ phase }) => phase.kind),
    ['trial', 'spreading', 'steady'],
  );
});

test('what a canary answered before it ran the change, and just after, counts for nothing', () => {
  const fleet = fleetOf();
  fleet.rollout.want(revision('b', { port: 4000 }));
  fleet.report(['egress-1', 100, 100]);
  fleet.pass(2);
  fleet.report(['egress-1', 100, 100], ['egress-2', 7]);
  assert.deepEqual(json(fleet)?.traffic?.canary.requests, 0);
  fleet.pass(2);
  fleet.report(['egress-1', 60, 1], ['egress-2', 100, 1], ['host-1', 5]);
  assert.deepEqual(json(fleet)?.traffic, {
    canary: { requests: 60, serverErrors: 1, denied: 0 },
    rest: { requests: 105, serverErrors: 1, denied: 0 },
  });
});

test('server errors at the canary take the change back, and it is not tried again until the file is another one', () => {
  const fleet = fleetOf();
  fleet.rollout.want(revision('b', { port: 4000 }));
  fleet.pass(4);
  fleet.report(['egress-1', 60, 30], ['egress-2', 60]);
  assert.deepEqual([ports(fleet), json(fleet)?.state], [[3128, 3128], 'rolled-back']);
  assert.equal(json(fleet)?.refusal?.cause, 'server-errors');
  fleet.rollout.want(revision('b', { port: 4000 }));
  fleet.pass(40);
  assert.deepEqual(ports(fleet), [3128, 3128]);
  fleet.rollout.want(revision('c', { port: 5000 }));
  assert.deepEqual(ports(fleet), [5000, 3128]);
});

test('a canary that refuses the change takes it back at once', () => {
  const fleet = fleetOf({ refusing: true });
  fleet.rollout.want(revision('b', { port: 4000 }));
  assert.deepEqual([ports(fleet), json(fleet)?.refusal?.cause], [[3128, 3128], 'nack']);
  assert.match(json(fleet)?.refusal?.text ?? '', /^egress-1 refused it: no such field$/);
});

test('a refusal of something that the change did not bring takes nothing back', () => {
  const fleet = fleetOf();
  fleet.connect('egress-2', { refusing: true });
  fleet.rollout.want(revision('b', { port: 4000 }));
  fleet.rollout.renew([revision('a', { key: 'NEW' }), revision('b', { port: 4000, key: 'NEW' })]);
  assert.equal(fleet.status.node('egress-2')?.findings[0]?.code, 'nack');
  assert.equal(json(fleet)?.state, 'canary');
});

test('after it has gone on, a refusal by any node takes it back everywhere', () => {
  const fleet = fleetOf();
  fleet.connect('egress-2', { refusing: true });
  fleet.rollout.want(revision('b', { port: 4000 }));
  assert.equal(fleet.rollout.command('force', 'taro'), true);
  assert.deepEqual([ports(fleet), json(fleet)?.state], [[3128, 3128], 'rolled-back']);
});

for (const [what, reluctance, words] of [
  ['acknowledges nothing', { silent: true }, /egress-1 has not acknowledged it after 30 s/],
  [
    'does not ask for routes',
    { unasking: true },
    /egress-1 asks for 2 of 3 RouteConfiguration, so a listener stays warming/,
  ],
] as const) {
  test(`a canary that ${what} for 30 s takes the change back`, () => {
    const fleet = fleetOf(reluctance);
    const tunnel = door({ name: 'blind', inspect: 'tunnel', listen: { host: '127.0.0.1', port: 4000 } });
    fleet.rollout.want(revision('b', { doors: [door(), tunnel] }));
    fleet.pass(29);
    assert.equal(json(fleet)?.state, 'canary');
    fleet.pass(1);
    assert.equal(json(fleet)?.refusal?.cause, 'warming');
    assert.match(json(fleet)?.refusal?.text ?? '', words);
  });
}

test('a canary that is away is waited for, and one that goes away in the soak, too', () => {
  const fleet = new SmallFleet(revision('a'));
  fleet.connect('egress-2');
  fleet.rollout.want(revision('b', { port: 4000 }));
  fleet.pass(60);
  assert.deepEqual([json(fleet)?.state, json(fleet)?.waits[0]], ['canary', 'egress-1 is not connected']);
  const leave = fleet.connect('egress-1');
  fleet.pass(2);
  assert.equal(json(fleet)?.soak.left, 1);
  leave();
  fleet.pass(60);
  assert.deepEqual([json(fleet)?.soak.left, json(fleet)?.waits[0]], [1, 'egress-1 is not connected']);
});

test('of a share those nodes count that came since the change; one that crashed on it is waited for', () => {
  const canary = { percent: 99 };
  const fleet = new SmallFleet(revision('a', { rollout: { canary, soakSeconds: 2 } }));
  const leave = fleet.connect('egress-1');
  fleet.rollout.want(revision('b', { port: 4000, rollout: { canary, soakSeconds: 2 } }));
  assert.deepEqual(json(fleet)?.canaries, ['egress-1'], 'egress-2 has not come');
  fleet.clock.at += 1_000;
  leave();
  fleet.pass(1);
  assert.deepEqual([json(fleet)?.canaries, json(fleet)?.waits[0]], [['egress-1'], 'egress-1 is not connected']);
});

test('a change that gives the canary nothing waits for somebody who says that it may go on', () => {
  const sidecar = door({ name: 'side', on: 'host', kind: 'sidecar', listen: { host: '127.0.0.1', port: 4000 } });
  const fleet = fleetOf();
  fleet.rollout.want(revision('b', { doors: [door(), sidecar] }));
  fleet.pass(60);
  fleet.report(['egress-1', 500]);
  fleet.pass(1);
  assert.match(json(fleet)?.waits[0] ?? '', /^no canary node gets anything new by it/);
  assert.equal(fleet.portOf('host-1'), 0);
  fleet.rollout.command('force', 'taro');
  assert.equal(fleet.portOf('host-1'), 4000);
});

test('without reports of traffic the change waits for force', () => {
  const fleet = fleetOf();
  fleet.rollout.want(revision('b', { port: 4000 }));
  fleet.pass(600);
  assert.deepEqual(
    json(fleet)?.waits.map((wait) => wait.slice(0, 22)),
    ['no traffic is reported'],
  );
});

test('what gives no node anything else is with all at once: other words, another node, another group of them', () => {
  const fleet = fleetOf();
  const more = [...groups, { name: 'new', nodes: [{ id: 'new-1' }] }];
  fleet.rollout.want(revision('b', { fleet: { ...revision('a').policy.fleet, groups: more } }));
  assert.deepEqual([json(fleet)?.state, json(fleet)?.stable], ['steady', 'b']);
  fleet.connect('new-1');
  assert.notEqual(fleet.versionOf('new-1'), undefined);
});

test('a node that only the change knows gets it at once, and one that the change has no more keeps what it has', () => {
  const fleet = fleetOf();
  const [, host] = groups;
  assert.ok(host);
  const others = [{ name: 'egress', nodes: [{ id: 'egress-1' }, { id: 'egress-3' }] }, host];
  fleet.rollout.want(revision('b', { port: 4000, fleet: { ...revision('a').policy.fleet, groups: others } }));
  fleet.connect('egress-3');
  assert.deepEqual([fleet.portOf('egress-3'), fleet.portOf('egress-2')], [4000, 3128]);
  assert.deepEqual(
    fleet.status.snapshot().nodes.map(({ id }) => id),
    ['egress-1', 'egress-2', 'egress-3', 'host-1'],
  );
  fleet.rollout.command('rollback', 'taro');
  assert.throws(() => fleet.connect('egress-3'), { code: 'node_unknown' });
});

test('renewed certificates go to all at once, in a trial and outside it, and change no policy', () => {
  const fleet = fleetOf();
  const before = ['egress-1', 'egress-2'].map((id) => fleet.versionOf(id));
  fleet.rollout.renew([revision('a', { key: 'NEW' })]);
  const renewed = ['egress-1', 'egress-2'].map((id) => fleet.versionOf(id));
  assert.ok(renewed.every((version, n) => version !== before[n]));
  assert.deepEqual([json(fleet)?.state, fleet.changes], ['steady', []]);

  fleet.rollout.want(revision('b', { port: 4000, key: 'NEW' }));
  const inTrial = ['egress-1', 'egress-2'].map((id) => fleet.versionOf(id));
  fleet.rollout.renew([revision('a', { key: 'NEWER' }), revision('b', { port: 4000, key: 'NEWER' })]);
  assert.ok(['egress-1', 'egress-2'].every((id, n) => fleet.versionOf(id) !== inTrial[n]));
  assert.deepEqual([ports(fleet), json(fleet)?.state], [[4000, 3128], 'canary']);
  good(fleet);
  fleet.pass(1);
  assert.equal(json(fleet)?.state, 'spreading', 'the soak was not begun anew');
});

test('without a rollout in the policy a change goes to all at once', () => {
  const fleet = fleetOf();
  fleet.rollout.want(withoutRollout(revision('b', { port: 4000 })));
  assert.deepEqual([ports(fleet), json(fleet)], [[4000, 4000], null]);
  assert.equal(fleet.rollout.command('force', 'taro'), false);
});

test('taking the rollout out of the policy in the middle of a trial gives the change to all', () => {
  const fleet = fleetOf();
  fleet.rollout.want(revision('b', { port: 4000 }));
  fleet.rollout.want(withoutRollout(revision('c', { port: 4000 })));
  assert.deepEqual(ports(fleet), [4000, 4000]);
});

test('after a restart in the middle of a trial each node gets what it had, and the soak goes on', () => {
  const first = fleetOf();
  first.rollout.want(revision('b', { port: 4000 }));
  first.pass(2);
  const state = JSON.parse(JSON.stringify(first.rollout.state)) as RolloutState;
  const b = revision('b', { port: 4000, key: 'NEW' });
  const again = new SmallFleet(b, { state: { ...state }, revisions: [revision('a', { key: 'NEW' }), b] });
  again.rollout.want(b);
  again.connect('egress-1');
  again.connect('egress-2');
  assert.deepEqual([ports(again), json(again)?.soak.left], [[4000, 3128], 1]);
});

test('a policy that comes again as it was, with other people, changes nothing for the nodes', () => {
  const fleet = fleetOf();
  const versions = ['egress-1', 'egress-2'].map((id) => fleet.versionOf(id));
  const again = revision('a');
  fleet.rollout.want(again);
  assert.equal(fleet.rollout.wanted, again);
  assert.deepEqual(
    ['egress-1', 'egress-2'].map((id) => fleet.versionOf(id)),
    versions,
  );
  assert.deepEqual(fleet.changes, []);
});
