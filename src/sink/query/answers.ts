import type { RecordForm, RecordsItem, RecordsResponse } from '../../wire/records-api.ts';
import { recordFilter, type RecordQuestion } from './filter.ts';
import { payloadFilter } from './glimpse.ts';
import type { Entry, Piece } from './journal-pieces.ts';
import { jsonLine } from './json-lines.ts';
import { itemOf } from './query-records.ts';

export interface Ask {
  readonly question: RecordQuestion;
  readonly form: RecordForm;
  /** The first index not to look at any more. */
  readonly to?: number;
  /** At most so many items. */
  readonly limit?: number;
}

/** Turns an entry into what a caller asked for, or into nothing. */
export type Answer = (entry: Entry) => RecordsItem | undefined;

/** Decodes no more than the question and the form need. Throws SekishoError `usage` where the question is not understood. */
export function answerOf({ question, form }: Ask, now: number): Answer {
  const mayAnswer = payloadFilter(question, now);
  const answers = recordFilter(question, now);
  const asksNothing = Object.values(question).every((part) => part === undefined);
  return (entry) => {
    const { index } = entry;
    if (entry.kind === 'damage') {
      const { code, message } = entry.error;
      return { index, error: { code, message, lost: entry.lost } };
    }
    const { payload } = entry;
    if (form === 'payload' && asksNothing) return { index, payload };
    if (!mayAnswer(payload)) return undefined;
    const item = itemOf(index, payload);
    const raw = form === 'json' ? {} : { payload };
    if (item.kind === 'unreadable') {
      const { code, message } = item.error;
      return { index, ...raw, error: { code, message, lost: 0 } };
    }
    if (!answers(item.record)) return undefined;
    return { index, ...raw, ...(form !== 'payload' && { json: jsonLine(item) }) };
  };
}

/**
 * Responses of about 64 KiB; what is there goes out before more is waited for. Where nothing fits the question for a while, an empty one tells how
 * far the search has come. The last one of a search that ends tells where it ended.
 */
export async function* answers(
  pieces: AsyncIterable<Piece>,
  answer: Answer,
  { to = Infinity, limit = Infinity }: Pick<Ask, 'to' | 'limit'> = {},
): AsyncGenerator<RecordsResponse, void> {
  let left = limit;
  let told = -1;
  let next = 0;
  let unmentioned = 0;
  let items: RecordsItem[] = [];
  let bytes = 0;
  const response = (): RecordsResponse => {
    const made = { items, next };
    [items, bytes, unmentioned, told] = [[], 0, 0, next];
    return made;
  };
  search: for await (const piece of pieces) {
    await othersTurn();
    for (const entry of piece.entries) {
      if (entry.index >= to || left === 0) break search;
      next = entry.index + (entry.kind === 'payload' ? 1 : entry.lost);
      unmentioned += 1;
      const item = answer(entry);
      if (item === undefined) continue;
      items.push(item);
      left -= 1;
      bytes += (item.payload?.length ?? 0) + (item.json?.length ?? 0);
      if (bytes >= responseBytes) yield response();
    }
    next = Math.max(next, piece.next);
    if (items.length > 0 || unmentioned >= longestSilence) yield response();
  }
  if (items.length > 0 || told !== next) yield response();
}

/** Larger ones gain little, and a caller that does not read holds some of them in our memory. */
const responseBytes = 64 * 1024;
/** Entries after which the caller hears from us even if none was for it, so that it need not begin far back again. */
const longestSilence = 8192;

/** A search may take minutes; what Envoys send must not wait for it. */
function othersTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
