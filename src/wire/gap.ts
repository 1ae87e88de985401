import { nameIn, numberIn } from './enum-names.ts';
import { FieldReader, bytesField, uintField } from './protobuf.ts';
import { encodeTimestamp, nanosecondsIn } from './timestamp.ts';

/** sekisho.v1.Gap. Written out by hand as the other messages of ours are; a test compares it with the .proto file. Times: milliseconds since 1970. */
export interface Gap {
  readonly state: GapState | 'unknown';
  readonly cause: GapCause;
  readonly missing: number;
  readonly atLeast: boolean;
  /** By the Envoy's clock; 0: since it began. */
  readonly from: number;
  readonly to: number;
  readonly handled: number;
  readonly stored: number;
  /** By the sink's clock. */
  readonly opened: number;
}

export const gapStates = { opened: 1, changed: 2, closed: 3 } as const;
export type GapState = keyof typeof gapStates;

export const gapCauses = { sink_restarted: 1, envoy_ended: 2, unknown: 3 } as const;
export type GapCause = keyof typeof gapCauses;

export function encodeGap(gap: Gap): Buffer {
  return Buffer.concat([
    uintField(1, numberIn(gapStates, gap.state)),
    uintField(2, gapCauses[gap.cause]),
    uintField(3, gap.missing),
    uintField(4, gap.atLeast ? 1 : 0),
    ...timeField(5, gap.from),
    ...timeField(6, gap.to),
    uintField(7, gap.handled),
    uintField(8, gap.stored),
    ...timeField(9, gap.opened),
  ]);
}

/** What a later version knows besides is left out, or `unknown`. Throws SekishoError `record_malformed`. */
export function decodeGap(bytes: Buffer): Gap {
  const read = { missing: 0, atLeast: false, from: 0, to: 0, handled: 0, stored: 0, opened: 0 };
  const enums: { state: Gap['state']; cause: GapCause } = { state: 'unknown', cause: 'unknown' };
  const gap = new FieldReader(bytes);
  while (gap.next()) {
    if (gap.field === 1) enums.state = nameIn(gapStates, gap.uint());
    else if (gap.field === 2) enums.cause = nameIn(gapCauses, gap.uint());
    else if (gap.field === 3) read.missing = gap.uint();
    else if (gap.field === 4) read.atLeast = gap.uint() !== 0;
    else if (gap.is(5)) read.from = milliseconds(gap.message());
    else if (gap.is(6)) read.to = milliseconds(gap.message());
    else if (gap.field === 7) read.handled = gap.uint();
    else if (gap.field === 8) read.stored = gap.uint();
    else if (gap.is(9)) read.opened = milliseconds(gap.message());
  }
  return { ...enums, ...read };
}

function timeField(field: number, time: number): Buffer[] {
  if (time === 0) return [];
  const seconds = Math.floor(time / 1000);
  return [bytesField(field, encodeTimestamp(seconds, Math.round(time - seconds * 1000) * 1_000_000))];
}

function milliseconds(reader: FieldReader): number {
  return Number(nanosecondsIn(reader) / 1_000_000n);
}
