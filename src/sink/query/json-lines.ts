import { printableJson } from './printable.ts';
import type { QueryItem } from './query-records.ts';

/** One item as a line of JSON, without its end: the named record, or `sekisho.index` and `error` of what could not be read. */
export function jsonLine(item: QueryItem): string {
  switch (item.kind) {
    case 'record':
      return printableJson(JSON.stringify(item.record));
    case 'unreadable':
      return printableJson(
        JSON.stringify({ 'sekisho.index': item.index, error: { code: item.error.code, message: item.error.message } }),
      );
  }
}
