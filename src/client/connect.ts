import { setTimeout as pause } from 'node:timers/promises';
import { SekishoError } from '../base/errors.ts';
import {
  encodeQueryRequest,
  encodeTailRequest,
  filterNames,
  type FilterWords,
  type RecordForm,
} from '../wire/records-api.ts';
import { foundOf, responsesOf } from './call.ts';
import { openChannel, type Connection } from './channel.ts';
import type { Found } from './found.types.ts';

/** What is asked for, in the words of `sekisho records`; each part narrows. */
interface Question<F extends RecordForm> extends FilterWords {
  /** How records come: as JSON (the default), as stored bytes, by far the cheapest, or both. */
  readonly form?: F;
  /** Ends the iteration, without an error. */
  readonly signal?: AbortSignal;
}

export interface QueryOptions<F extends RecordForm = 'json'> extends Question<F> {
  /** The first index to look at. */
  readonly from?: number;
  /** The first index not to look at any more. */
  readonly to?: number;
  /** At most so many. */
  readonly limit?: number;
}

export interface TailOptions<F extends RecordForm = 'json'> extends Question<F> {
  /** The first index to look at: 0 for the oldest record, the last one seen + 1 to resume. Absent: what comes from now on. */
  readonly from?: number;
  /** Is told whenever the connection broke and is tried again. `next`: from where on. */
  readonly onRetry?: (error: SekishoError, next: number | undefined) => void;
}

export interface RecordsClient {
  /** What the journal holds, oldest first. Throws SekishoError when the call fails; what came before is sound. */
  query<F extends RecordForm = 'json'>(options?: QueryOptions<F>): AsyncGenerator<Found<F>, void>;
  /**
   * As `query`, and then what comes. When the connection breaks, or the sink starts again, it goes on behind the last item: nothing is missing and
   * nothing comes twice. Throws only what trying again cannot mend: a refused certificate, a question that is not understood.
   */
  tail<F extends RecordForm = 'json'>(options?: TailOptions<F>): AsyncGenerator<Found<F>, void>;
  /** Ends all that runs. */
  close(): void;
}

/** Connects, at the first call, to the records of a sink. */
export function connectRecords(connection: Connection): RecordsClient {
  const channel = openChannel(connection);
  const closed = new AbortController();
  const until = (signal: AbortSignal | undefined): AbortSignal =>
    signal === undefined ? closed.signal : AbortSignal.any([closed.signal, signal]);

  async function* query<F extends RecordForm = 'json'>(options: QueryOptions<F> = {}): AsyncGenerator<Found<F>, void> {
    const { form = 'json', from = 0, to = 0, limit = 0, signal } = options;
    // To the server, 0 is no bound.
    if (options.to === 0 || options.limit === 0) return;
    const request = encodeQueryRequest({ filter: wordsOf(options), form, from, to, limit });
    for await (const { items } of responsesOf(channel, 'Query', request, until(signal))) {
      for (const item of items) yield foundOf<F>(item);
    }
  }

  async function* tail<F extends RecordForm = 'json'>(options: TailOptions<F> = {}): AsyncGenerator<Found<F>, void> {
    const { form = 'json', onRetry } = options;
    const signal = until(options.signal);
    let next = options.from;
    for (let attempt = 0; !signal.aborted; attempt += 1) {
      try {
        const request = encodeTailRequest({ filter: wordsOf(options), form, from: next });
        for await (const response of responsesOf(channel, 'Tail', request, signal)) {
          for (const item of response.items) yield foundOf<F>(item);
          next = response.next;
          attempt = 0;
        }
        // A tail has no end of its own.
      } catch (caught) {
        const error = SekishoError.from(caught);
        if (error.code !== 'server_unreachable') throw error;
        onRetry?.(error, next);
      }
      const wait = Math.min(firstRetryMs * 2 ** attempt, longestRetryMs);
      await pause(wait, undefined, { signal }).catch(() => undefined);
    }
  }

  return {
    query,
    tail,
    close: () => {
      closed.abort();
      channel.close();
    },
  };
}

const firstRetryMs = 100;
const longestRetryMs = 5000;

function wordsOf(options: FilterWords): FilterWords {
  return Object.fromEntries(filterNames.map((name) => [name, options[name]]));
}
