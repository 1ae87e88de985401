import type { NamedRecord } from '../record/name.ts';
import type { QueryItem } from './query-records.ts';

/** The records of one sink, in the order of its journal. */
export interface RecordSource {
  /** Absent: the journal at hand. */
  readonly sink?: string;
  readonly items: AsyncIterable<QueryItem>;
}

/** So many keys are remembered at least: what two sinks stored further apart than that is not known to be the same. */
const rememberedKeys = 250_000;

/**
 * The records of several sinks as those of one, by the time at which they were received. What an Envoy told two sinks counts once, and the first of them is
 * shown; what comes from another sink says so (`sekisho.sink`), for an index is one of that sink's journal. A single source passes as it is.
 */
export async function* unionOf(sources: readonly RecordSource[]): AsyncGenerator<QueryItem> {
  const seen = new RecentKeys(rememberedKeys);
  const heads = await Promise.all(
    sources.map(async ({ sink, items }) => {
      const iterator = items[Symbol.asyncIterator]();
      return { sink, iterator, next: await iterator.next() };
    }),
  );
  for (;;) {
    let earliest: (typeof heads)[number] | undefined;
    for (const head of heads) {
      if (head.next.done === true) continue;
      if (!earliest || receivedOf(head.next.value) < receivedOf(earliest.next.value as QueryItem)) earliest = head;
    }
    if (!earliest || earliest.next.done === true) return;
    const item = earliest.next.value;
    const key = item.kind === 'record' && sources.length > 1 ? keyOf(item.record) : undefined;
    if (key === undefined || seen.add(key)) yield labelled(item, earliest.sink);
    earliest.next = await earliest.iterator.next();
  }
}

/** What cannot be read has no time; it is shown as soon as its turn comes, where it stands. */
function receivedOf(item: QueryItem): string {
  return item.kind === 'record' ? String(item.record['sekisho.received'] ?? '') : '';
}

function labelled(item: QueryItem, sink: string | undefined): QueryItem {
  if (sink === undefined || item.kind !== 'record') return item;
  return { ...item, record: { ...item.record, 'sekisho.sink': sink } };
}

/** The kinds that an Envoy tells of; what a sink or a control plane says of itself is its own. */
const ofEnvoy: ReadonlySet<unknown> = new Set(['http', 'tcp', 'connection', 'intent']);

/**
 * What makes two entries the same: node, log, kind and type, and the stream; where Envoy gave that no id, client and start. Envoy writes several
 * entries of one lasting connection, which differ in how long it has lasted.
 */
function keyOf(record: NamedRecord): string | undefined {
  if (!ofEnvoy.has(record['sekisho.kind'])) return undefined;
  const id = record['sekisho.stream_id'] ?? record['sekisho.connection_id'];
  const stream = id ?? [record['client.address'], record['client.port'], record['time']];
  const type = record['sekisho.entry_type'];
  return JSON.stringify([
    ...[record['sekisho.node'], record['sekisho.log'], record['sekisho.kind'], type, stream],
    ...(String(type).endsWith('Periodic') ? [record['sekisho.duration_ms']] : []),
  ]);
}

/** Remembers the newest keys, at least so many and at most twice as many. */
class RecentKeys {
  readonly #limit: number;
  #newer = new Set<string>();
  #older = new Set<string>();

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** False where it was there already. */
  add(key: string): boolean {
    if (this.#newer.has(key) || this.#older.has(key)) return false;
    if (this.#newer.size === this.#limit) [this.#older, this.#newer] = [this.#newer, new Set()];
    this.#newer.add(key);
    return true;
  }
}
