import type { House } from '../../support/house.ts';

/** What became of a request, as its sender knows it. */
export type Fate =
  /** The door let it in, and somebody behind the door answered: the console, or Envoy itself. */
  | { readonly kind: 'answered'; readonly status: number }
  /** The door answered its CONNECT with a refusal. */
  | { readonly kind: 'refused'; readonly status: number }
  /** No answer came. */
  | { readonly kind: 'broken' };

export interface SentRequest {
  readonly fate: Fate;
  /** When its fate was known, milliseconds since 1970. */
  readonly at: number;
}

export interface Load {
  /** Sends no more, and gives the fate of everything that was sent, by its number, once all of it is known. */
  stop(): Promise<ReadonlyMap<number, SentRequest>>;
}

/** Every request of a campaign goes here; its number is in the query. */
export const loadPath = '/api/campaign';

const host = 'us-east-1.console.aws.amazon.com';
const tickMs = 20;
/** Requests under way at a time. What would be more is not sent: a load that piles up measures itself. */
const mostUnderWay = 200;
const timeout = 30_000;

/** People who keep their connections, by HTTP/1.1 and HTTP/2, and ask so often a second together. Numbers go on from `first`. */
export function startLoad(house: House, perSecond: number, first: number): Load {
  const people = ([1, 2] as const).map((http) => ({ http, visitor: house.visitor({ timeout }) }));
  const sent = new Map<number, SentRequest>();
  const underWay = new Set<Promise<void>>();
  const began = performance.now();
  let next = first;
  let due = 0;

  const send = async (number: number): Promise<void> => {
    const fate = await fateOf(number);
    sent.set(number, { fate, at: Date.now() });
  };
  const fateOf = async (number: number): Promise<Fate> => {
    const { http, visitor } = people[number % people.length] ?? fail();
    const url = `https://${host}${loadPath}?n=${number}`;
    try {
      const { status, connectStatus } = await visitor.request({ url, http });
      return connectStatus === 200 ? { kind: 'answered', status } : { kind: 'refused', status };
    } catch {
      return { kind: 'broken' };
    }
  };
  const timer = setInterval(() => {
    due = ((performance.now() - began) / 1000) * perSecond;
    while (next - first < due && underWay.size < mostUnderWay) {
      const one = send(next++).finally(() => underWay.delete(one));
      underWay.add(one);
    }
  }, tickMs);

  return {
    stop: async () => {
      clearInterval(timer);
      await Promise.all(underWay);
      await Promise.all(people.map(({ visitor }) => visitor.close()));
      return sent;
    },
  };
}

function fail(): never {
  throw new Error('nobody to ask');
}
