import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Hearing } from '../../../src/control/rollout/hearing.ts';
import { rolloutJson } from '../../../src/control/rollout/rollout-json.ts';
import { sighted, underWay, type Sighting } from '../../../src/control/rollout/sighting.ts';
import { revision, SmallFleet, type Reluctance } from './small-fleet.ts';

const [a, b] = [revision('a'), revision('b', { port: 4000 })];

/** Two control planes of one fleet: `holder` decides, the canary node is at `other`. */
function planes(reluctance: Reluctance = {}) {
  const holder = new SmallFleet(a);
  const other = new SmallFleet(a, { leads: () => false });
  const leave = other.connect('egress-1', reluctance);
  holder.connect('egress-2');
  const hearing = new Hearing();
  let note: Sighting | undefined;
  /** For so many seconds both look, the one leaves its note, and the other hears it. */
  const pass = (seconds: number, heard = true): void => {
    for (let n = 0; n < seconds; n += 1) {
      holder.clock.at += 1_000;
      other.clock.at += 1_000;
      other.rollout.follow(holder.rollout);
      other.rollout.look();
      const change = underWay(holder.rollout.state);
      if (change === undefined) continue;
      if (heard) for (const event of other.seen.splice(0)) note = sighted(note, change, event);
      const notes = new Map(note ? [['0', JSON.stringify(note)]] : []);
      holder.rollout.look(hearing.hear(notes, change, holder.clock.at));
    }
  };
  return { holder, other, pass, leave, json: () => rolloutJson(holder.rollout, holder.clock.now()) };
}

test('a canary node at another control plane lets a change go on, by what that one sees and counts', () => {
  const { holder, other, pass, json } = planes();
  holder.rollout.want(b);
  assert.deepEqual(json()?.waits.slice(0, 1), ['egress-1 is not connected']);
  pass(4);
  assert.deepEqual([other.portOf('egress-1'), holder.portOf('egress-2')], [4000, 3128]);
  other.report(['egress-1', 40]);
  pass(2);
  assert.equal(json()?.traffic?.canary.requests, 40, 'each answer counts once');
  assert.match(json()?.waits.join() ?? '', /^40 of 50 answers/);
  other.report(['egress-1', 20]);
  pass(1);
  assert.equal(json()?.state, 'spreading');
  pass(1);
  assert.deepEqual([other.portOf('egress-1'), holder.portOf('egress-2')], [4000, 4000]);
});

test('a refusal at another control plane takes a change back, also after it has gone on', () => {
  for (const force of [false, true]) {
    const { holder, pass, json } = planes({ refusing: true });
    holder.rollout.want(b);
    if (force) holder.rollout.command('force', 'taro');
    pass(2);
    assert.deepEqual([json()?.state, json()?.refusal?.text], ['rolled-back', 'egress-1 refused it: no such field']);
    assert.equal(holder.portOf('egress-2'), 3128);
  }
});

test('server errors that another control plane counts take a change back', () => {
  const { holder, other, pass, json } = planes();
  holder.rollout.want(b);
  pass(4);
  other.report(['egress-1', 60, 30]);
  pass(1);
  assert.equal(json()?.refusal?.cause, 'server-errors');
});

test('whoever decides does not go on by a control plane that fell silent, nor by one that saw the change before', () => {
  const { holder, other, pass, json } = planes();
  holder.rollout.want(b);
  pass(1);
  other.report(['egress-1', 60]);
  holder.rollout.command('pause', 'taro');
  pass(4);
  pass(11, false);
  holder.rollout.command('resume', 'taro');
  pass(10, false);
  assert.deepEqual([json()?.state, json()?.waits[0]], ['canary', 'egress-1 is not connected']);
  holder.rollout.command('rollback', 'taro');
  holder.rollout.command('resume', 'taro');
  pass(1, false);
  assert.equal(json()?.traffic?.canary.requests, 0);
});

test('a note that is not whole, or of another version, is no note', () => {
  const { canaries, traffic } = new Hearing().hear(
    new Map([
      ['0', '{'],
      ['1', '{"change":"x"}'],
    ]),
    'x',
    0,
  );
  assert.deepEqual([canaries, traffic.canary.requests], [[], 0]);
});
