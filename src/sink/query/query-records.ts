import { SekishoError } from '../../base/errors.ts';
import { decodeRecord } from '../record/decode.ts';
import { nameRecord, type NamedRecord } from '../record/name.ts';
import type { RecordFilter } from './filter.ts';

/** What a query gives: a record, or a payload that could not be read; an auditor must see both. */
export type QueryItem =
  | { readonly kind: 'record'; readonly index: number; readonly record: NamedRecord }
  | { readonly kind: 'unreadable'; readonly index: number; readonly error: SekishoError };

/** Payloads of a journal, decoded, named and filtered, in their order. Payloads that are no records pass every filter. */
export async function* queryRecords(
  source: AsyncIterable<{ readonly index: number; readonly payload: Buffer }>,
  filter: RecordFilter,
): AsyncGenerator<QueryItem> {
  for await (const { index, payload } of source) {
    const item = itemOf(index, payload);
    if (item.kind === 'unreadable' || filter(item.record)) yield item;
  }
}

/** A payload as a record with names, or why it is none. */
export function itemOf(index: number, payload: Buffer): QueryItem {
  try {
    return { kind: 'record', index, record: nameRecord(decodeRecord(payload), index) };
  } catch (caught) {
    return { kind: 'unreadable', index, error: SekishoError.from(caught, 'record_malformed') };
  }
}
