import { once } from 'node:events';
import { systemClock } from '../../base/clock.ts';
import { realDisk } from '../../base/disk.ts';
import { SekishoError } from '../../base/errors.ts';
import { readJournal } from '../../sink/journal/reader.ts';
import { recordFilter, type RecordFilter, type RecordQuestion } from '../../sink/query/filter.ts';
import { jsonLine } from '../../sink/query/json-lines.ts';
import { queryRecords, type QueryItem } from '../../sink/query/query-records.ts';
import { recordTable } from '../../sink/query/table.ts';
import { journalFolder } from '../service/sink-role.ts';
import { aside, exitCodes } from './print.ts';

export interface RecordsOptions extends RecordQuestion {
  readonly data: string;
  readonly follow?: true;
  readonly output: string;
}

/** `sekisho records`: what the journal holds, oldest first. Exit 1 when a part of it cannot be read; what can be is printed all the same. */
export async function records(options: RecordsOptions): Promise<number> {
  const filter = recordFilter(options, systemClock.now());
  await assertJournal(options.data);
  const follow = options.follow ? untilInterrupted() : undefined;
  const whole = await printRecords({ data: options.data, output: options.output, filter, ...(follow && { follow }) });
  return whole ? exitCodes.good : exitCodes.badNews;
}

/** Prints the records from an index on; false when something between them cannot be read, which is said on standard error. */
export async function printRecords(options: {
  readonly data: string;
  readonly output: string;
  readonly filter?: RecordFilter;
  readonly from?: number;
  readonly follow?: AbortSignal;
}): Promise<boolean> {
  let whole = true;
  const frames = readJournal({
    dir: journalFolder(options.data),
    disk: realDisk,
    from: options.from ?? 0,
    ...(options.follow && { follow: options.follow }),
    onCorrupt: ({ segment, offset, lostFrames }) => {
      whole = false;
      aside(`! ${segment} is damaged at byte ${offset}: ${lostFrames} records cannot be read; restore it from a copy`);
    },
  });
  const printer = recordPrinter(options.output);
  if (printer.header !== undefined) await print(printer.header);
  for await (const item of queryRecords(frames, options.filter ?? (() => true))) {
    if (item.kind === 'unreadable') whole = false;
    await print(printer.line(item));
  }
  return whole;
}

export interface RecordPrinter {
  readonly header?: string;
  line(item: QueryItem): string;
}

/** Lines for people (`table`) or for programs (`json`). */
export function recordPrinter(output: string): RecordPrinter {
  if (output === 'json') return { line: jsonLine };
  const table = recordTable({ width: process.stdout.columns || 200 });
  return { header: table.header, line: (item) => table.row(item) };
}

/** A reader slower than we are makes us wait, so that a long answer does not gather in memory. */
async function print(line: string): Promise<void> {
  if (!process.stdout.write(`${line}\n`)) await once(process.stdout, 'drain');
}

async function assertJournal(data: string): Promise<void> {
  const dir = journalFolder(data);
  if ((await realDisk.stat(dir))?.kind === 'folder') return;
  throw new SekishoError(
    'file_unreadable',
    `there is no journal in ${data} — name the data folder of sekisho serve with --data or SEKISHO_DATA`,
    { facts: { path: dir } },
  );
}

function untilInterrupted(): AbortSignal {
  const interrupted = new AbortController();
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.once(signal, () => {
      interrupted.abort();
    });
  }
  return interrupted.signal;
}
