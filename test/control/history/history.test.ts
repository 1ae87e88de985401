import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { History } from '../../../src/control/history/history.ts';
import { plan, type Plan } from '../../../src/control/plan.ts';
import type { StreamFacts, XdsEvent } from '../../../src/control/xds/events.types.ts';
import { clusterType, listenerType } from '../../../src/control/xds/type-urls.ts';
import type { Policy } from '../../../src/policy/policy.types.ts';
import { decodeControlEvent, encodeControlEvent, type ControlEvent } from '../../../src/wire/control-event.ts';
import { FakeClock } from '../ca/ca-fixture.ts';
import { door, hosts, policy } from '../../support/policies.ts';

const fleet = policy().fleet;
const pattern = { name: 'host', nodes: [], pattern: { match: 'host-*', max: 9 } };

function hash(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/** A control plane without streams of its own: what it publishes and what its nodes say is called. */
class Story {
  readonly clock = new FakeClock();
  readonly events: ControlEvent[] = [];
  readonly history = new History({ clock: this.clock, report: (event) => this.events.push(event) });
  plan: Plan | undefined;
  #read = 0;
  #streams = 0;

  publish(change: Partial<Policy> = {}, admitted: readonly string[] = hosts, actor: 'policy' | 'renewal' = 'policy') {
    const next = policy({ sha256: hash(JSON.stringify([change, admitted])), ...change });
    const pair = { certificateChain: `(issued for ${admitted.length})`, privateKey: '(withheld)' };
    const keys = new Map(next.doors.map(({ name }) => [name, { leaf: pair }]));
    const before = this.plan;
    this.plan = plan({ policy: next, hosts: admitted, keys, previous: before });
    this.history.published({ actor, policy: next, before, after: this.plan });
    return this.read();
  }

  /** A node comes, and is told what it shall have. */
  connect(id: string, version = '1.40.0'): (event: object) => string[] {
    const facts: StreamFacts = {
      stream: ++this.#streams,
      node: { id, cluster: '', agent: 'envoy', version },
      peer: '',
      identity: 'certificate',
    };
    const tell = (event: object): string[] => {
      this.history.observe({ ...event, ...facts } as XdsEvent);
      return this.read();
    };
    tell({ kind: 'connected' });
    tell({ kind: 'targeted', version: this.version(id, version) });
    return tell;
  }

  version(id: string, version = '1.40.0'): string {
    const key = this.plan?.keyOf(id, version === '1.40.0') ?? '';
    return this.plan?.snapshots.get(key)?.version ?? '';
  }

  /** What is new, in a line each: `published egress egress-1: Cluster +2 ~0 -0`. */
  read(): string[] {
    const news = this.events.slice(this.#read);
    this.#read = this.events.length;
    return news.map(({ act, target, nodes, changes, type, text }) =>
      [
        [act, target, ...nodes].filter((word) => word !== '').join(' '),
        ...changes.map((of) => `${of.type} +${of.added} ~${of.changed} -${of.removed}`),
        ...(type === '' ? [] : [`${type} ${text}`]),
      ].join(', '),
    );
  }
}

const [cluster, listener] = ['Cluster +3 ~0 -0', 'Listener +2 ~0 -0, RouteConfiguration +2 ~0 -0, Secret +1 ~0 -0'];

test('a start is a publication to the nodes that the policy names, whether or not they are there', () => {
  const story = new Story();
  assert.deepEqual(story.publish(), [`published egress egress-1, ${cluster}, ${listener}`]);
  const [event] = story.events;
  assert.deepEqual(
    [event?.actor, event?.policy, event?.policySha256, event?.version, event?.identity, event?.time],
    [
      'policy',
      'sekisho.yaml',
      hash(JSON.stringify([{}, hosts])),
      story.version('egress-1'),
      'self',
      BigInt(story.clock.now()) * 1_000_000n,
    ],
  );
  assert.deepEqual(event?.changes[0]?.addedNames, ['console', 'console/http1', 'office/inside']);
});

test('a changed policy says what changed against the one before, and one that changes nothing for a node is named alone', () => {
  const story = new Story();
  story.publish();
  assert.deepEqual(story.publish({}, [...hosts, 'docs.aws.amazon.com']), [
    'published egress egress-1, Listener +0 ~1 -0, RouteConfiguration +0 ~2 -0, Secret +0 ~1 -0',
  ]);
  assert.deepEqual(
    story.publish({ record: { ...policy().record, redactQuery: ['x'] } }, [...hosts, 'docs.aws.amazon.com']),
    ['published'],
  );
  assert.equal(story.events.at(-1)?.version, '');
  assert.deepEqual(
    story.publish({ record: { ...policy().record, redactQuery: ['x'] } }, [...hosts, 'docs.aws.amazon.com']),
    [],
    'read again, the same',
  );
});

test('a node acknowledges a publication once, however often it comes back with it', () => {
  const story = new Story();
  story.publish();
  const version = story.version('egress-1');
  for (let time = 0; time < 3; time += 1) {
    const tell = story.connect('egress-1');
    assert.deepEqual(tell({ kind: 'settled', version }), time === 0 ? ['acknowledged egress-1'] : []);
    tell({ kind: 'disconnected' });
  }
  assert.deepEqual(
    [story.events[1]?.version, story.events[1]?.identity, story.events[1]?.actor],
    [version, 'certificate', 'node'],
  );
});

test('a publication that goes back to what was before is acknowledged again', () => {
  const story = new Story();
  story.publish();
  const tell = story.connect('egress-1');
  const first = story.version('egress-1');
  tell({ kind: 'settled', version: first });
  for (const admitted of [[...hosts, 'docs.aws.amazon.com'], hosts]) {
    story.publish({}, admitted);
    const version = story.version('egress-1');
    tell({ kind: 'targeted', version });
    assert.deepEqual(tell({ kind: 'settled', version }), ['acknowledged egress-1']);
  }
  assert.equal(story.version('egress-1'), first);
});

test('a refusal is told for each type, once for each reason; what the node takes in after all is told, too', () => {
  const story = new Story();
  story.publish();
  const version = story.version('egress-1');
  const refuse = (type: string, text: string) => ({ kind: 'nacked', type, version, text });
  for (let time = 0; time < 3; time += 1) {
    const tell = story.connect('egress-1');
    assert.deepEqual(tell(refuse(listenerType, 'bad')), time === 0 ? ['refused egress-1, Listener bad'] : []);
    assert.deepEqual(tell(refuse(clusterType, 'bad')), time === 0 ? ['refused egress-1, Cluster bad'] : []);
    tell({ kind: 'disconnected' });
  }
  const tell = story.connect('egress-1');
  assert.deepEqual(tell({ kind: 'settled', version }), ['acknowledged egress-1']);
});

test('a refusal names what was published when the refused was sent, whatever the version of its type and whatever came since', () => {
  const story = new Story();
  story.publish();
  const first = story.version('egress-1');
  const tell = story.connect('egress-1');
  tell({ kind: 'sent', type: listenerType, version: 'of the listeners' });
  story.publish({}, [...hosts, 'docs.aws.amazon.com']);
  const second = story.version('egress-1');
  tell({ kind: 'targeted', version: second });
  tell({ kind: 'nacked', type: listenerType, version: 'of the listeners', text: 'late' });
  tell({ kind: 'sent', type: listenerType, version: 'of the next' });
  tell({ kind: 'nacked', type: listenerType, version: 'of the next', text: 'bad' });
  const refused = story.events.filter(({ act }) => act === 'refused');
  assert.deepEqual(
    refused.map(({ version, text }) => [text, version]),
    [
      ['late', first],
      ['bad', second],
    ],
  );
});

test('a node that makes up reasons and types to refuse leaves a bounded number of records', () => {
  const story = new Story();
  story.publish();
  const version = story.version('egress-1');
  for (let time = 0; time < 100; time += 1) {
    const tell = story.connect('egress-1');
    tell({ kind: 'nacked', type: `type.googleapis.com/made.up${time}`, version, text: 'x' });
    tell({ kind: 'nacked', type: listenerType, version, text: `reason ${time}` });
    tell({ kind: 'settled', version });
    tell({ kind: 'disconnected' });
  }
  const refused = story.events.filter(({ act }) => act === 'refused');
  assert.deepEqual([refused.length, ...new Set(refused.map(({ type }) => type))], [16, 'Listener']);
  assert.ok(story.events.filter(({ act }) => act === 'acknowledged').length <= 17);
});

test('what is published for a pattern is told when the first of its nodes comes, with the nodes that are there from then on', () => {
  const story = new Story();
  const doors = [door({ on: 'host', kind: 'sidecar', inspect: 'tunnel' })];
  const change = { fleet: { ...fleet, groups: [pattern] }, doors };
  assert.deepEqual(story.publish(change), ['published'], 'the policy is on record at once');
  const news = story.connect('host-1')({ kind: 'settled', version: story.version('host-1') });
  assert.deepEqual(news, ['acknowledged host-1']);
  assert.match(
    story.events.map(({ act, nodes }) => [act, ...nodes].join(' ')).join(),
    /^published,published host-1,acknowledged host-1$/,
  );
  story.connect('host-2');
  assert.match(
    story.publish({ ...change, doors: [door({ ...doors[0], listen: { host: '127.0.0.1', port: 99 } })] }).join(),
    /^published host host-1 host-2, Listener \+0 ~1 -0$/,
  );
});

test('a node that is too old for doors has a publication of its own, and only then', () => {
  const story = new Story();
  story.publish();
  assert.equal(story.events.length, 1);
  story.connect('egress-1', '1.33.0');
  assert.deepEqual(
    story.events.map(({ target }) => target),
    ['egress', 'egress without doors'],
  );
  assert.deepEqual(story.events[1]?.version, story.version('egress-1', '1.33.0'));
});

test('a renewal is told as one', () => {
  const story = new Story();
  story.publish();
  const renewed = [...hosts.slice(1), 'x'];
  story.publish({}, renewed, 'renewal');
  assert.equal(story.events.at(-1)?.actor, 'renewal');
});

test('a promotion, a rollback or a pause is one line for its owner', () => {
  const story = new Story();
  const facts = { nodes: ['egress-1'], version: 'v1', text: 'Listener refused' };
  story.history.report({ act: 'rolled_back', actor: 'rollout', ...facts });
  story.history.report({ act: 'paused', actor: 'operator', operator: 'hanako' });
  assert.deepEqual(
    story.events.map(({ act, actor, operator, nodes, identity }) => [act, actor, operator, nodes, identity]),
    [
      ['rolled_back', 'rollout', '', ['egress-1'], 'self'],
      ['paused', 'operator', 'hanako', [], 'self'],
    ],
  );
});

test('an event fits into a record however many nodes and names it speaks of, and counts what it leaves out', () => {
  const story = new Story();
  const nodes = Array.from({ length: 5000 }, (_, at) => ({ id: `egress-${at}.corp.example` }));
  const host = (at: number): string => `${'h'.repeat(60)}-${at}.example.com`;
  const pins = Array.from({ length: 900 }, (_, at) => ({
    host: host(at),
    endpoints: [{ host: '10.0.0.1', port: 443 }],
  }));
  story.publish(
    {
      fleet: { ...fleet, groups: [{ name: 'egress', nodes }] },
      console: { ...policy().console, pins },
    },
    [...hosts, ...pins.map((pin) => pin.host)],
  );
  const [event] = story.events;
  assert.ok(event);
  const bytes = encodeControlEvent(event);
  assert.ok(bytes.length < 60_000, `${bytes.length} bytes`);
  const read = decodeControlEvent(bytes);
  assert.ok(read.nodes.length > 1000);
  assert.equal(read.nodes.length + read.moreNodes, 5000);
  const clusters = read.changes.find(({ type }) => type === 'Cluster');
  assert.ok(clusters && clusters.added > 900 && clusters.addedNames.length < 100);
});
