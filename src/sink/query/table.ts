import type { NamedRecord } from '../record/name.ts';
import { columnsOf, fit } from './fit.ts';
import { printable } from './printable.ts';
import type { QueryItem } from './query-records.ts';

/** Lines of a table whose columns keep their place, so that rows may come one by one. */
export interface RecordTable {
  readonly header: string;
  row(item: QueryItem): string;
}

/** A table for people. `width`: columns of the terminal; the path takes what is left. Every line is fit for a terminal. */
export function recordTable({ width }: { readonly width: number }): RecordTable {
  const used = columns.reduce((sum, { size }) => sum + size + 1, 0);
  const rest = Math.max(narrowestPath, width - used);
  const line = (cells: readonly string[], last: string): string =>
    [...cells.map((cell, index) => fit(cell, columns[index]?.size ?? 0)), columnsOf(last, rest)].join(' ').trimEnd();
  return {
    header: line(
      columns.map(({ title }) => title),
      'PATH',
    ),
    row: (item) => {
      switch (item.kind) {
        case 'record':
          return line(
            columns.map(({ cell }) => printable(cell(item.record))),
            printable(lastCell(item.record)),
          );
        case 'unreadable':
          return printable(`! record ${item.index} cannot be read: ${item.error.message}`);
      }
    },
  };
}

const narrowestPath = 20;

interface TableColumn {
  readonly title: string;
  /** Columns of the terminal. */
  readonly size: number;
  readonly cell: (record: NamedRecord) => string;
}

const columns: readonly TableColumn[] = [
  { title: 'TIME (UTC)', size: 23, cell: (record) => text(record, 'time').slice(0, 23).replace('T', ' ') },
  { title: 'CLIENT', size: 15, cell: (record) => text(record, 'client.address') || '-' },
  { title: 'USER', size: 14, cell: (record) => text(record, 'user.id') || '-' },
  { title: 'METHOD', size: 7, cell: (record) => text(record, 'http.request.method') || text(record, 'sekisho.kind') },
  { title: 'STATUS', size: 6, cell: (record) => text(record, 'http.response.status_code') || '-' },
  {
    title: 'HOST',
    size: 36,
    cell: (record) => text(record, 'server.address') || text(record, 'tls.client.server_name') || '-',
  },
];

/** The path with its query; before it why a request was denied, with how many more for which it stands, or what Envoy noted about it. */
function lastCell(record: NamedRecord): string {
  if (record['sekisho.kind'] === 'control') return controlCell(record);
  if (record['sekisho.kind'] === 'gap') return gapCell(record);
  const query = text(record, 'url.query');
  const path = text(record, 'url.path') + (query === '' ? '' : `?${query}`);
  const denied = text(record, 'sekisho.denied.reason');
  const more = text(record, 'sekisho.suppressed.count');
  const note =
    denied === '' ? text(record, 'sekisho.response_flags') : `denied: ${denied}${more === '' ? '' : ` +${more}`}`;
  return note === '' ? path : `[${note}] ${path}`;
}

/** Of the ledger: `[opened] egress-1 lab/http: 12 missing since 2026-11-24T10:00:00.000000000Z (sink_restarted)`. */
function gapCell(record: NamedRecord): string {
  const of = (name: string): string => text(record, `sekisho.gap.${name}`);
  const where = [text(record, 'sekisho.node'), text(record, 'sekisho.log')].filter((part) => part !== '').join(' ');
  const missing = `${of('at_least') === '' ? '' : 'at least '}${of('missing')} missing`;
  const since = of('from') === '' ? '' : ` since ${of('from')}`;
  return `[${of('state')}] ${where}: ${missing}${since} (${of('cause')})`;
}

/** Of the control plane: `[published] egress-1, egress-2: Listener +1 ~0 -0 (policy sekisho.yaml)`. */
function controlCell(record: NamedRecord): string {
  const of = (name: string): string => {
    const value = record[`sekisho.control.${name}`];
    return typeof value === 'object' ? value.join(', ') : text(record, `sekisho.control.${name}`);
  };
  const more = of('more_nodes');
  const nodes = of('nodes') + (more === '' ? '' : ` and ${more} more`);
  const what = [of('type'), of('text') || of('changes') || of('version')].filter((part) => part !== '').join(' ');
  const by = [of('actor'), of('operator') || of('policy')].filter((part) => part !== '').join(' ');
  return `[${of('act')}] ${nodes || 'no node'}: ${what || 'nothing'}${of('actor') === 'node' ? '' : ` (${by})`}`;
}

function text(record: NamedRecord, name: string): string {
  const value = record[name];
  return value === undefined ? '' : String(value);
}
