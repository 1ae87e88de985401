import { setTimeout as pause } from 'node:timers/promises';
import { status } from '@grpc/grpc-js';
import type { Clock } from '../../base/clock.ts';
import { SekishoError } from '../../base/errors.ts';
import type { FollowedJournal } from '../../sink/journal/followed-journal.types.ts';
import { answerOf, answers, type Answer, type Ask } from '../../sink/query/answers.ts';
import { readPieces } from '../../sink/query/journal-pieces.ts';
import {
  decodeQueryRequest,
  decodeTailRequest,
  encodeRecordsResponse,
  recordsService as definition,
  type RecordsResponse,
} from '../../wire/records-api.ts';
import type { WritableCall } from './call.types.ts';
import type { Reader } from './reader.ts';
import type { GrpcService } from './grpc-service.types.ts';
import { statusOf } from './status.ts';

type Call = WritableCall;

export interface RecordsService extends GrpcService {
  /** Ends all calls, so that their clients come back to whoever is there then, and takes no more. May be called twice. */
  close(): void;
  /** How many records each tail under way has still to be told of. */
  lags(): readonly TailLag[];
}

export interface TailLag {
  readonly reader: Reader;
  readonly records: number;
}

/** A call that was taken, ended or refused. */
export interface RecordsObserver {
  began(method: 'query' | 'tail', reader: Reader): void;
  ended(method: 'query' | 'tail', reader: Reader, items: number): void;
  failed(caught: unknown, peer: string): void;
}

/** sekisho.v1.Records: journal to caller. A caller that does not read is waited for, with some responses of 64 KiB in memory. */
export function recordsService(options: {
  readonly journal: FollowedJournal;
  readonly identify: (call: Call) => Reader;
  readonly clock: Clock;
  readonly observer: RecordsObserver;
  /** Calls at a time. Each that does not read holds about 1 MiB. */
  readonly calls?: number;
}): RecordsService {
  const { journal, identify, clock, observer, calls = 100 } = options;
  const { dir, disk } = journal;
  const open = new Set<AbortController>();
  const tails = new Map<AbortController, { readonly reader: Reader; readonly next: number }>();
  let closed = false;

  function query(request: Buffer): AsyncIterable<RecordsResponse> {
    const { filter, form, from, to, limit } = decodeQueryRequest(request);
    const bounds = { to: Math.min(to || Infinity, journal.nextIndex()), ...(limit > 0 && { limit }) };
    const answer = understood({ question: filter, form });
    return answers(readPieces({ dir, disk, from }), answer, bounds);
  }

  async function* tail(
    request: Buffer,
    ended: AbortSignal,
    came: (next: number) => void,
  ): AsyncIterable<RecordsResponse> {
    const { filter, form, from = journal.nextIndex() } = decodeTailRequest(request);
    assertWithin(from, journal.nextIndex());
    const answer = understood({ question: filter, form });
    let next = from;
    came(next);
    yield { items: [], next };
    const more = async (): Promise<void> => {
      if (journal.nextIndex() <= next) await journal.pulse.next(longestIdleMs, ended);
      await pause(gatherMs, undefined, { signal: ended });
    };
    const pieces = noting(readPieces({ dir, disk, from, follow: ended, pause: more }), (at) => {
      next = at;
      came(next);
    });
    for await (const response of answers(pieces, answer)) yield response;
  }

  function understood(ask: Ask): Answer {
    try {
      return answerOf(ask, clock.now());
    } catch (caught) {
      const error = SekishoError.from(caught);
      throw error.code === 'usage' ? new SekishoError('request_malformed', error.message) : error;
    }
  }

  async function serve(method: 'query' | 'tail', call: Call): Promise<void> {
    const ended = new AbortController();
    const end = (): void => {
      ended.abort();
    };
    let reader: Reader | undefined;
    let items = 0;
    call.on('cancelled', end);
    call.on('error', end);
    call.on('close', end);
    try {
      assertOpen();
      const caller = identify(call);
      admit(ended);
      reader = caller;
      observer.began(method, reader);
      const came = (next: number): void => void tails.set(ended, { reader: caller, next });
      for await (const response of method === 'query' ? query(call.request) : tail(call.request, ended.signal, came)) {
        if (ended.signal.aborted) break;
        items += response.items.length;
        if (!call.write(encodeRecordsResponse(response))) await drained(call, ended.signal);
      }
      assertOpen();
      call.end();
    } catch (caught) {
      if (!call.cancelled) refuse(call, caught);
    } finally {
      open.delete(ended);
      tails.delete(ended);
      if (reader !== undefined) observer.ended(method, reader, items);
    }
  }

  function assertOpen(): void {
    if (!closed) return;
    throw new SekishoError('server_unreachable', 'Sekisho is stopping; come back when it has started again.');
  }

  function admit(ended: AbortController): void {
    if (open.size >= calls) {
      throw new SekishoError('limit_exceeded', `There are ${calls} readers of records already; end some of them.`);
    }
    open.add(ended);
  }

  function refuse(call: Call, caught: unknown): void {
    const error = SekishoError.from(caught);
    if (error.code !== 'server_unreachable') observer.failed(error, call.getPeer());
    call.emit('error', error.code === 'server_unreachable' ? unavailable(error) : statusOf(error));
  }

  return {
    definition,
    implementation: {
      Query: (call: Call) => void serve('query', call),
      Tail: (call: Call) => void serve('tail', call),
    },
    close: () => {
      closed = true;
      for (const ended of open) ended.abort();
    },
    lags: () => [...tails.values()].map(({ reader, next }) => ({ reader, records: journal.nextIndex() - next })),
  };
}

/** What several commits bring goes out together. */
const gatherMs = 20;
const longestIdleMs = 60_000;

async function* noting<T extends { readonly next: number }>(
  source: AsyncIterable<T>,
  note: (next: number) => void,
): AsyncGenerator<T, void> {
  for await (const one of source) {
    note(one.next);
    yield one;
  }
}

/** Resolves when the caller has read, or when the call is over. */
function drained(call: Call, ended: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      call.off('drain', done);
      ended.removeEventListener('abort', done);
      resolve();
    };
    call.on('drain', done);
    ended.addEventListener('abort', done);
    if (ended.aborted) done();
  });
}

/** A journal forgets nothing that it has shown, so this cursor is of another one: to wait would be to miss what comes. */
function assertWithin(from: number, records: number): void {
  if (from <= records) return;
  throw new SekishoError(
    'request_malformed',
    `This journal has ${records} records, so a tail from index ${from} is of another one; begin anew, from 0 or from now on.`,
    { facts: { from, records } },
  );
}

function unavailable(error: SekishoError): ReturnType<typeof statusOf> {
  return { code: status.UNAVAILABLE, details: error.message };
}
