import { recordEncoder, type EntryCopy, type RecordEncoder, type RecordOrigin } from '../record/envelope.ts';
import type { Sender } from './sender.ts';

/** One log of one node, whose entries become records. */
export interface LogSource {
  readonly node: string;
  readonly log: string;
  readonly epoch: number;
  readonly copy: EntryCopy;
  /** Node and log as one text. */
  readonly key: string;
  readonly http: EntrySource;
  readonly tcp: EntrySource;
}

/** What an Envoy's entries become. */
type EntryKind = Exclude<RecordOrigin['kind'], 'control' | 'gap' | 'intent'>;

export type EntryOrigin = RecordOrigin & { readonly kind: EntryKind };

/** The entries of one message type in a log. */
export interface EntrySource {
  readonly origin: EntryOrigin;
  readonly encoder: RecordEncoder;
}

export function logSource(
  { node, log, epoch }: { readonly node: string; readonly log: string; readonly epoch: number },
  identity: Sender['kind'],
  copy: EntryCopy = 'stream',
): LogSource {
  const source = (kind: EntryKind): EntrySource => {
    const origin = { node, log, epoch, identity, kind, copy };
    return { origin, encoder: recordEncoder(origin) };
  };
  return {
    node,
    log,
    epoch,
    copy,
    key: `${node}\n${log}`,
    http: source('http'),
    tcp: source(log.endsWith('/connection') ? 'connection' : 'tcp'),
  };
}
