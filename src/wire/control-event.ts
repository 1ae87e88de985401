import { nameIn, numberIn } from './enum-names.ts';
import { FieldReader, bytesField, uintField } from './protobuf.ts';
import { encodeTimestamp, nanosecondsIn } from './timestamp.ts';

/**
 * sekisho.v1.ControlEvent, what crosses from the control plane to the sink. Written out by hand, so that who only reads records need not load
 * Envoy's API; a test compares it with proto/sekisho/v1/control.proto.
 */
export interface ControlEvent {
  /** Nanoseconds since 1970. */
  readonly time: bigint;
  readonly act: ControlAct | 'unknown';
  readonly actor: ControlActor | 'unknown';
  /** Texts are '' where they do not apply. */
  readonly operator: string;
  readonly policy: string;
  readonly policySha256: string;
  readonly target: string;
  readonly version: string;
  readonly nodes: readonly string[];
  readonly moreNodes: number;
  readonly changes: readonly TypeChanges[];
  readonly type: string;
  readonly text: string;
  readonly identity: RecordIdentity | 'unknown';
}

/** How many resources of a type were added, changed and removed, and as many of their names as fit. */
export interface TypeChanges {
  readonly type: string;
  readonly added: number;
  readonly changed: number;
  readonly removed: number;
  readonly addedNames: readonly string[];
  readonly changedNames: readonly string[];
  readonly removedNames: readonly string[];
}

export const controlActs = {
  ...{ published: 1, acknowledged: 2, refused: 3, promoted: 4, rolled_back: 5, paused: 6, resumed: 7 },
} as const;
export type ControlAct = keyof typeof controlActs;

export const controlActors = { policy: 1, renewal: 2, node: 3, rollout: 4, operator: 5 } as const;
export type ControlActor = keyof typeof controlActors;

/** Of sekisho.v1.Record.Identity. */
export const recordIdentities = { certificate: 1, loopback: 2, self: 3 } as const;
export type RecordIdentity = keyof typeof recordIdentities;

/** An event that says nothing; the parts of others stand in its place. */
export const noEvent: ControlEvent = {
  ...{ time: 0n, act: 'unknown', actor: 'unknown', operator: '', policy: '', policySha256: '', target: '' },
  ...{ version: '', nodes: [], moreNodes: 0, changes: [], type: '', text: '', identity: 'unknown' },
};

export function encodeControlEvent(event: ControlEvent): Buffer {
  return Buffer.concat([
    bytesField(1, encodeTimestamp(Number(event.time / second), Number(event.time % second))),
    uintField(2, numberIn(controlActs, event.act)),
    uintField(3, numberIn(controlActors, event.actor)),
    textField(4, event.operator),
    textField(5, event.policy),
    textField(6, event.policySha256),
    textField(7, event.target),
    textField(8, event.version),
    ...event.nodes.map((node) => bytesField(9, node)),
    uintField(10, event.moreNodes),
    ...event.changes.map((changes) => bytesField(11, encodeChanges(changes))),
    textField(12, event.type),
    textField(13, event.text),
    uintField(14, numberIn(recordIdentities, event.identity)),
  ]);
}

function encodeChanges({ type, ...changes }: TypeChanges): Buffer {
  return Buffer.concat([
    textField(1, type),
    uintField(2, changes.added),
    uintField(3, changes.changed),
    uintField(4, changes.removed),
    ...changes.addedNames.map((name) => bytesField(5, name)),
    ...changes.changedNames.map((name) => bytesField(6, name)),
    ...changes.removedNames.map((name) => bytesField(7, name)),
  ]);
}

/** Fields and numbers of a later version are left out, or `unknown`. Throws SekishoError `record_malformed`. */
export function decodeControlEvent(bytes: Buffer): ControlEvent {
  const read = { ...noEvent, nodes: [] as string[], changes: [] as TypeChanges[] };
  const event = new FieldReader(bytes);
  while (event.next()) {
    if (event.is(1)) read.time = nanosecondsIn(event.message());
    else if (event.field === 2) read.act = nameIn(controlActs, event.uint());
    else if (event.field === 3) read.actor = nameIn(controlActors, event.uint());
    else if (event.is(4)) read.operator = event.string();
    else if (event.is(5)) read.policy = event.string();
    else if (event.is(6)) read.policySha256 = event.string();
    else if (event.is(7)) read.target = event.string();
    else if (event.is(8)) read.version = event.string();
    else if (event.is(9)) read.nodes.push(event.string());
    else if (event.field === 10) read.moreNodes = event.uint();
    else if (event.is(11)) read.changes.push(decodeChanges(event.message()));
    else if (event.is(12)) read.type = event.string();
    else if (event.is(13)) read.text = event.string();
    else if (event.field === 14) read.identity = nameIn(recordIdentities, event.uint());
  }
  return read;
}

/** The time alone, for those who look at many. */
export function controlTimeIn(event: FieldReader): bigint {
  let time = 0n;
  while (event.next()) if (event.is(1)) time = nanosecondsIn(event.message());
  return time;
}

function decodeChanges(reader: FieldReader): TypeChanges {
  const counts = { type: '', added: 0, changed: 0, removed: 0 };
  const names = { addedNames: [] as string[], changedNames: [] as string[], removedNames: [] as string[] };
  while (reader.next()) {
    if (reader.is(1)) counts.type = reader.string();
    else if (reader.field === 2) counts.added = reader.uint();
    else if (reader.field === 3) counts.changed = reader.uint();
    else if (reader.field === 4) counts.removed = reader.uint();
    else if (reader.is(5)) names.addedNames.push(reader.string());
    else if (reader.is(6)) names.changedNames.push(reader.string());
    else if (reader.is(7)) names.removedNames.push(reader.string());
  }
  return { ...counts, ...names };
}

const second = 1_000_000_000n;

/** Nothing at all for '', the default of proto3. */
function textField(field: number, text: string): Buffer {
  return text === '' ? Buffer.alloc(0) : bytesField(field, text);
}
