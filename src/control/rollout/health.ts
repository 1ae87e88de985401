import type { Counts, Traffic } from './rollout.types.ts';

/** So many answers of the canary nodes say something. */
export const enoughRequests = 50;
/** The canary nodes are worse where their share is more than so many times that of the rest … */
const times = 2;
/** … and more than so much above it: of 0.1 % against 0.01 % nobody has to be afraid, nor of one bad answer in 50. */
const above = 0.02;
/** 3 % less 1 % is not quite 2 % to a computer. */
const rounding = 1e-9;

export const noCounts: Counts = { requests: 0, serverErrors: 0, denied: 0 };
export const noTraffic: Traffic = { canary: noCounts, rest: noCounts };

/** In what the canary nodes are worse than the rest, with the shares in words. A rest without any request has a share of 0. */
export function worse({ canary, rest }: Traffic): { cause: 'server-errors' | 'denied'; text: string } | undefined {
  if (canary.requests < enoughRequests) return undefined;
  for (const [cause, of, called] of measures) {
    const [share, others] = [shareOf(of(canary), canary.requests), shareOf(of(rest), rest.requests)];
    if (share <= times * others || share - others <= above + rounding) continue;
    const text = `${percent(share)} of ${canary.requests} answers of the canary nodes were ${called}, and ${percent(others)} of ${rest.requests} of the others`;
    return { cause, text };
  }
  return undefined;
}

export function addTraffic(a: Traffic, b: Traffic): Traffic {
  return { canary: addCounts(a.canary, b.canary), rest: addCounts(a.rest, b.rest) };
}

/** What has come to `b` since it was `a`. */
export function lessTraffic(b: Traffic, a: Traffic): Traffic {
  return { canary: lessCounts(b.canary, a.canary), rest: lessCounts(b.rest, a.rest) };
}

function lessCounts(b: Counts, a: Counts): Counts {
  return {
    requests: b.requests - a.requests,
    serverErrors: b.serverErrors - a.serverErrors,
    denied: b.denied - a.denied,
  };
}

export function addCounts(a: Counts, b: Counts): Counts {
  return {
    requests: a.requests + b.requests,
    serverErrors: a.serverErrors + b.serverErrors,
    denied: a.denied + b.denied,
  };
}

const measures = [
  ['server-errors', (counts: Counts) => counts.serverErrors, 'server errors (5xx)'],
  ['denied', (counts: Counts) => counts.denied, 'denials'],
] as const;

function shareOf(part: number, whole: number): number {
  return whole === 0 ? 0 : part / whole;
}

export function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}
