import type { Disk } from '../../base/disk.ts';
import { FieldReader } from '../../wire/protobuf.ts';
import { readBatches } from '../journal/reader.ts';
import { listSegments } from '../journal/segments.ts';
import { recordFields, recordKinds } from '../record/envelope.ts';
import { entryIdentity } from './entry-identity.ts';
import type { SeenEntries } from './seen-entries.ts';

/**
 * Reads back which entries were stored last, so that a copy that comes after a restart is not stored again: those of the newest segment and of the one
 * before it, at most 128 MiB, which is a second of reading. What was under way when the process ended is far less, however long it was away: while it is, nothing is
 * stored.
 */
export async function recallEntries(options: {
  readonly dir: string;
  readonly disk: Disk;
  readonly into: Pick<SeenEntries, 'add'>;
}): Promise<void> {
  const { dir, disk, into } = options;
  const segments = await listSegments(disk, dir);
  const from = segments.at(-2)?.firstIndex ?? segments.at(-1)?.firstIndex ?? 0;
  // Damage is told elsewhere.
  for await (const frames of readBatches({ dir, disk, from, onCorrupt: () => undefined })) {
    for (const { payload } of frames) recall(payload, into);
  }
}

const entryKinds: ReadonlySet<number> = new Set([recordKinds.http, recordKinds.tcp, recordKinds.connection]);

function recall(payload: Buffer, into: Pick<SeenEntries, 'add'>): void {
  try {
    const read = { node: '', log: '', kind: 0 };
    let entry: Buffer | undefined;
    const record = new FieldReader(payload);
    while (record.next()) {
      if (record.is(recordFields.node)) read.node = record.string();
      else if (record.is(recordFields.log)) read.log = record.string();
      else if (record.field === recordFields.kind) read.kind = record.uint();
      else if (record.is(recordFields.entry)) entry = record.bytes();
    }
    if (entry !== undefined && entryKinds.has(read.kind)) into.add(`${read.node}\n${read.log}`, entryIdentity(entry));
  } catch {
    // Whoever reads the records is told.
  }
}
