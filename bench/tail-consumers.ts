import { connectRecords } from '../src/client/index.ts';

/**
 * The other end of bench/tail.ts, in a process of its own: tails from different cursors, and one caller that never reads. Prints a line of JSON when
 * all have caught up with what the journal had, and another one when all have what it will have.
 * Usage: tail-consumers ADDRESS TAILS RECORDS_AT_FIRST RECORDS_AT_LAST
 */
const [address = ''] = process.argv.slice(2);
const [tails, first, last] = process.argv.slice(3).map(Number) as [number, number, number];

interface Reading {
  readonly from: number;
  next: number;
  /** Items that were not the next one. */
  disorder: number;
}

const began = performance.now();
const readings = Array.from({ length: tails }, (_, n): Reading => {
  const from = Math.floor((first / tails) * n);
  return { from, next: from, disorder: 0 };
});

/** Each over a connection of its own. */
async function read(reading: Reading, to: number): Promise<void> {
  const records = connectRecords({ address });
  for await (const { kind, index } of records.tail({ form: 'payload', from: reading.from })) {
    if (kind !== 'record' || index !== reading.next) reading.disorder += 1;
    reading.next = index + 1;
    if (reading.next === first) tell('caught up', first);
    if (reading.next >= to) break;
  }
  records.close();
}

function tell(what: string, to: number): void {
  if (!readings.every(({ next }) => next >= to)) return;
  const seconds = Number(((performance.now() - began) / 1000).toFixed(1));
  process.stdout.write(
    `${JSON.stringify({ what, seconds, rssMiB: Math.round(process.memoryUsage.rss() / 2 ** 20), readings })}\n`,
  );
}

const stuck = connectRecords({ address });
// One item is asked for, and nothing more.
await stuck.tail({ form: 'payload', from: 0 }).next();
await Promise.all(readings.map((reading) => read(reading, last)));
tell('done', last);
stuck.close();
process.exit(0);
