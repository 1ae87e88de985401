import { jsonLine } from '../query/json-lines.ts';
import type { Entry } from '../query/journal-pieces.ts';
import { itemOf } from '../query/query-records.ts';
import type { NamedLine } from './output.types.ts';

/** So many lines are made before others have their turn: some milliseconds of work. */
const atATime = 128;

export interface Lines {
  readonly lines: readonly NamedLine[];
  /** When the sink received the last record among them, milliseconds since 1970; 0 where none says so. */
  readonly received: number;
}

/** Entries of the journal as lines, damaged places and what cannot be read among them. */
export async function linesOf(entries: readonly Entry[]): Promise<Lines> {
  const lines: NamedLine[] = [];
  let received = 0;
  for (const entry of entries) {
    if (lines.length > 0 && lines.length % atATime === 0) await othersTurn();
    const item = entry.kind === 'payload' ? itemOf(entry.index, entry.payload) : unreadable(entry);
    const records = entry.kind === 'payload' ? 1 : entry.lost;
    lines.push({ index: entry.index, records, json: jsonLine(item) });
    if (item.kind === 'record') received = Date.parse(String(item.record['sekisho.received'])) || received;
  }
  return { lines, received };
}

function unreadable({ index, error }: Extract<Entry, { kind: 'damage' }>) {
  return { kind: 'unreadable', index, error } as const;
}

function othersTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
