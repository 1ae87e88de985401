import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import protobuf from 'protobufjs';
import {
  controlActors,
  controlActs,
  decodeControlEvent,
  encodeControlEvent,
  noEvent,
  recordIdentities,
  type ControlEvent,
} from '../../src/wire/control-event.ts';
import { bytesField, uintField } from '../../src/wire/protobuf.ts';
import { protoFile } from '../../src/wire/proto-files.ts';

const root = new protobuf.Root();
root.resolvePath = (_, target) => protoFile(target);
root.loadSync('sekisho/v1/control.proto', { keepCase: true }).resolveAll();
const type = root.lookupType('sekisho.v1.ControlEvent');

const word = fc.string({ unit: 'grapheme' });
const words = fc.array(word, { maxLength: 4 });
const count = fc.nat();
const names = <Name extends string>(of: Readonly<Record<Name, number>>) =>
  fc.constantFrom('unknown' as const, ...(Object.keys(of) as Name[]));
const changes = fc.record(
  {
    ...{ type: word, added: count, changed: count, removed: count },
    ...{ addedNames: words, changedNames: words, removedNames: words },
  },
  { noNullPrototype: true },
);
const event: fc.Arbitrary<ControlEvent> = fc.record(
  {
    time: fc.bigInt({ min: 0n, max: 253_402_300_799_999_999_999n }),
    ...{ act: names(controlActs), actor: names(controlActors), identity: names(recordIdentities) },
    ...{ operator: word, policy: word, policySha256: word, target: word, version: word, type: word, text: word },
    ...{ nodes: words, moreNodes: count, changes: fc.array(changes, { maxLength: 3 }) },
  },
  { noNullPrototype: true },
);

test('an event is what control.proto says, and comes back as it was', () => {
  fc.assert(
    fc.property(event, (one) => {
      const bytes = encodeControlEvent(one);
      assert.deepEqual(decodeControlEvent(bytes), one);
      const read = type.toObject(type.decode(bytes), { longs: String, enums: String, defaults: true });
      const { seconds, nanos } = read['time'] as { seconds: string; nanos: number };
      assert.equal(BigInt(seconds) * 1_000_000_000n + BigInt(nanos), one.time);
      assert.deepEqual(
        [read['act'], read['actor'], read['identity']],
        [
          inProto(one.act, 'ACT_UNSPECIFIED'),
          inProto(one.actor, 'ACTOR_UNSPECIFIED'),
          inProto(one.identity, 'IDENTITY_UNSPECIFIED'),
        ],
      );
      for (const [name, value] of Object.entries({
        ...{ operator: one.operator, policy: one.policy, policy_sha256: one.policySha256, target: one.target },
        ...{
          version: one.version,
          nodes: one.nodes,
          more_nodes: String(one.moreNodes),
          type: one.type,
          text: one.text,
        },
      })) {
        assert.deepEqual(read[name], value, name);
      }
      assert.deepEqual(
        read['changes'],
        one.changes.map((of) => ({
          ...{ type: of.type, added: String(of.added), changed: String(of.changed), removed: String(of.removed) },
          ...{ added_names: of.addedNames, changed_names: of.changedNames, removed_names: of.removedNames },
        })),
      );
    }),
  );
});

test('the enums are those of control.proto, all of them', () => {
  for (const [name, ours] of Object.entries({ Act: controlActs, Actor: controlActors })) {
    const { values } = type.lookupEnum(name);
    const declared = Object.entries(values).filter(([, number]) => number !== 0);
    assert.deepEqual(Object.fromEntries(declared.map(([key, number]) => [key.toLowerCase(), number])), ours);
  }
});

test('what a later version adds is left out, and what it names is unknown', () => {
  const bytes = Buffer.concat([uintField(2, 99), bytesField(999, 'x'), bytesField(8, 'v')]);
  assert.deepEqual(decodeControlEvent(bytes), { ...noEvent, version: 'v' });
});

function inProto(name: string, unspecified: string): string {
  return name === 'unknown' ? unspecified : name.toUpperCase();
}
