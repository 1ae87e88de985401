import { SekishoError } from '../../base/errors.ts';
import type { Log } from '../../base/log.ts';
import type { Metrics } from '../../base/metrics.ts';
import type { Reader } from '../grpc/reader.ts';
import type { RecordsObserver, TailLag } from '../grpc/records.ts';

/** Who reads records over gRPC: the running calls as a metric, each beginning and end as a log line. */
export function recordsObserver(metrics: Metrics, log: Log): RecordsObserver {
  const items = metrics.counter({
    name: 'sekisho_records_sent_total',
    help: 'Records sent to readers, by method.',
    labels: ['method'],
  });
  const running = new Map<'query' | 'tail', number>([
    ['query', 0],
    ['tail', 0],
  ]);
  const count = (method: 'query' | 'tail', by: number): void => {
    running.set(method, (running.get(method) ?? 0) + by);
  };
  metrics.gaugesOf(
    { name: 'sekisho_records_readers', help: 'Calls of readers under way, by method.', labels: ['method'] },
    () => [...running].map(([method, value]) => [{ method }, value] as const),
  );
  return {
    began: (method, reader) => {
      count(method, 1);
      log.info('a reader of records has come', { method, reader: nameOf(reader) });
    },
    ended: (method, reader, sent) => {
      count(method, -1);
      items.add({ method }, sent);
      log.info('a reader of records has gone', { method, reader: nameOf(reader), records: sent });
    },
    failed: (caught, peer) => {
      const { code, message } = SekishoError.from(caught);
      log.warn('a reader of records was refused', { peer, code, why: message });
    },
  };
}

/** How far readers are behind: one that does not read is waited for, and nothing else would show it. */
export function showLags(metrics: Metrics, lags: () => readonly TailLag[]): void {
  metrics.gaugesOf(
    {
      name: 'sekisho_records_lag_records',
      help: 'Records that the slowest tail of a reader has not been told of.',
      labels: ['reader'],
    },
    () => {
      const most = new Map<string, number>();
      for (const { reader, records } of lags())
        most.set(nameOf(reader), Math.max(records, most.get(nameOf(reader)) ?? 0));
      return [...most].map(([reader, records]) => [{ reader }, records] as const);
    },
  );
}

function nameOf(reader: Reader): string {
  return reader.kind === 'loopback' ? 'loopback' : `${reader.role}/${reader.name}`;
}
