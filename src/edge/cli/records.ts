import { once } from 'node:events';
import { systemClock } from '../../base/clock.ts';
import { realDisk } from '../../base/disk.ts';
import { SekishoError } from '../../base/errors.ts';
import { readJournal } from '../../sink/journal/reader.ts';
import { recordFilter, type RecordFilter, type RecordQuestion } from '../../sink/query/filter.ts';
import { jsonLine } from '../../sink/query/json-lines.ts';
import { queryRecords, type QueryItem } from '../../sink/query/query-records.ts';
import { recordTable } from '../../sink/query/table.ts';
import { unionOf, type RecordSource } from '../../sink/query/union.ts';
import { filterNames, type FilterWords } from '../../wire/records-api.ts';
import { journalFolder } from '../service/sink-role.ts';
import { otherSinks } from './other-sinks.ts';
import { aside, exitCodes } from './print.ts';

export interface RecordsOptions extends RecordQuestion {
  readonly data: string;
  readonly follow?: true;
  readonly output: string;
  /** HOST:PORT of other sinks of the fleet. */
  readonly sink: readonly string[];
  /** The folder of a reader's certificates. */
  readonly reader?: string;
}

/**
 * `sekisho records`: what the journal holds, oldest first, and what other sinks hold between it. Exit 1 when a part of it cannot be read; what can be is printed
 * all the same.
 */
export async function records(options: RecordsOptions): Promise<number> {
  const filter = recordFilter(options, systemClock.now());
  await assertJournal(options.data);
  if (options.follow && options.sink.length > 0)
    throw new SekishoError('usage', '--follow is for one sink: run it beside each of them, without --sink');
  const follow = options.follow ? untilInterrupted() : undefined;
  const unreached: string[] = [];
  const others = await otherSinks({
    addresses: options.sink,
    reader: options.reader,
    question: questionOf(options),
    failed: (address, why) => {
      unreached.push(address);
      aside(`! the sink ${address} cannot be read to its end, so its records are missing here: ${why.message}`);
    },
  });
  try {
    const { data, output } = options;
    const whole = await printRecords({ data, output, filter, others: others.sources, ...(follow && { follow }) });
    return whole && unreached.length === 0 ? exitCodes.good : exitCodes.badNews;
  } finally {
    others.close();
  }
}

/** The words of the question alone, for those who answer it elsewhere. */
function questionOf(options: RecordsOptions): FilterWords {
  const said = filterNames.flatMap((name) => (options[name] === undefined ? [] : [[name, options[name]] as const]));
  return Object.fromEntries(said);
}

/** Prints the records from an index on; false when something between them cannot be read, which is said on standard error. */
export async function printRecords(options: {
  readonly data: string;
  readonly output: string;
  readonly filter?: RecordFilter;
  readonly from?: number;
  readonly follow?: AbortSignal;
  /** Of other sinks, filtered already. */
  readonly others?: readonly RecordSource[];
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
  const own = { items: queryRecords(frames, options.filter ?? (() => true)) };
  for await (const item of unionOf([own, ...(options.others ?? [])])) {
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
