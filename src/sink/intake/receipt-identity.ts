import { tcpReceipt } from '../../wire/receipt-layout.ts';
import { accessLogTypeNumber } from '../record/entry-names.ts';
import { socketPeer } from '../record/host-port.ts';
import { receiptNanos } from './receipt-duration.ts';
import type { EntryIdentity } from './entry-identity.ts';
import type { ReceiptRecord } from './receipt-record.ts';

const idAt = tcpReceipt.indexOf('stream_id');
const typeAt = tcpReceipt.indexOf('access_log_type');
const clientAt = tcpReceipt.indexOf('downstream_remote_address');
const durationAt = tcpReceipt.indexOf('duration');

/** `entryIdentity` of the entry that a log record becomes, before it becomes one. */
export function receiptIdentity({ message, texts, seconds, nanos }: ReceiptRecord): EntryIdentity {
  const text = (place: number): string => message.toString('latin1', texts[place]?.from, texts[place]?.to);
  const id = text(idAt);
  const isNone = id === '-' || id === '';
  const peer = isNone ? socketPeer(text(clientAt)) : undefined;
  return {
    type: accessLogTypeNumber(text(typeAt)),
    seconds,
    nanos,
    duration: receiptNanos(text(durationAt)) ?? 0,
    id: isNone ? '' : id,
    client: peer ? `${peer.address}:${peer.port}` : '',
  };
}
