import { printableJson } from './printable.ts';
import type { QueryItem } from './query-records.ts';

/**
 * One item as a line of JSON, without its end: the named record, or `sekisho.index` and `error` of what could not be read, with `lost`, the
 * number of records that are missing from that index on, where a part of the journal is damaged.
 */
export function jsonLine(item: QueryItem): string {
  switch (item.kind) {
    case 'record':
      return printableJson(JSON.stringify(item.record));
    case 'unreadable': {
      const { code, message, facts } = item.error;
      return printableJson(
        JSON.stringify({ 'sekisho.index': item.index, error: { code, message, lost: facts['lost'] } }),
      );
    }
  }
}
