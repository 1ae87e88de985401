import { parseArgs } from 'node:util';
import { openHouse } from '../../support/house.ts';
import { playRound } from './campaign.ts';
import { draws } from '../../base/draws.ts';
import { faults, type Fault } from './faults.ts';
import type { Level } from './judge.ts';
import { inOwnNetwork, mayBreakThings } from './surroundings.ts';
import { added, markdown, type Row } from './table.ts';

const defaultLevel = 'receipt';

const usage = `npm run faults -- [--level L] [--rounds N] [--fault NAME]... [--rate N] [--seed N]

Lets things go wrong while people work, and holds what the level promises against what is on record. Exit 1 when a promise is broken.

  --level    stream, receipt or gate (${defaultLevel})
  --rounds   how often each fault happens (1)
  --fault    only these; may be given several times
  --rate     requests a second (200)
  --seed     of the random instants; printed at the start

${faults.map(({ name, what, seconds }) => `  ${name.padEnd(14)}${what}; ${seconds} s and more`).join('\n')}`;

process.exitCode = inOwnNetwork() ?? (await main());

async function main(): Promise<number> {
  const asked = question();
  if (typeof asked === 'string') {
    aside(asked);
    return 2;
  }
  if (asked === undefined) {
    print(usage);
    return 0;
  }
  const { level, rounds, rate, seed, chosen } = asked;
  aside(`level ${level}, ${rate} requests a second, seed ${seed}`);
  const draw = draws(seed);
  const chance = () => draw(2 ** 20) / 2 ** 20;
  const rows: Row[] = [];
  let first = 1;
  for (const fault of chosen) {
    if (fault.privileged && mayBreakThings !== false) {
      aside(`${fault.name}: SKIPPED, ${mayBreakThings}`);
      continue;
    }
    // A house of its own, so that what one fault leaves behind is not laid at the next one's door.
    const house = await openHouse({
      ...fault.house,
      policy: (policy) => {
        policy.record.assurance = level;
      },
    });
    try {
      let row: Row | undefined;
      for (let round = 1; round <= rounds; round++) {
        const verdict = await playRound(house, { fault, level, perSecond: rate, first, chance });
        first += verdict.sent;
        row = added(row, fault.name, verdict);
        aside(`${fault.name} ${round}/${rounds}: ${verdict.broken.join('; ') || 'kept'}`);
      }
      if (row) rows.push(row);
    } finally {
      await house.close();
    }
  }
  print(markdown(rows));
  return rows.some(({ broken }) => broken.length > 0) ? 1 : 0;
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** What is no part of the answer goes beside it. */
function aside(line: string): void {
  process.stderr.write(`${line}\n`);
}

interface Question {
  readonly level: Level;
  readonly rounds: number;
  readonly rate: number;
  readonly seed: number;
  readonly chosen: readonly Fault[];
}

/** What is asked for; a sentence where it makes no sense; nothing where it is help. */
function question(): Question | string | undefined {
  const text = { type: 'string' } as const;
  const options = {
    level: text,
    rounds: text,
    rate: text,
    seed: text,
    fault: { type: 'string', multiple: true },
    help: { type: 'boolean' },
  } as const;
  let values;
  try {
    ({ values } = parseArgs({ options }));
  } catch (caught) {
    return `${caught instanceof Error ? caught.message : String(caught)}\n\n${usage}`;
  }
  if (values.help === true) return undefined;
  const level = values.level ?? defaultLevel;
  if (!isLevel(level)) return `there is no level "${level}": choose stream, receipt or gate`;
  const unknown = values.fault?.find((name) => !faults.some((fault) => fault.name === name));
  if (unknown !== undefined) return `there is no fault "${unknown}": ${faults.map(({ name }) => name).join(', ')}`;
  const [rounds, rate, seed] = [values.rounds ?? '1', values.rate ?? '200', values.seed ?? String(Date.now() % 1e6)];
  for (const number of [rounds, rate, seed])
    if (!/^[1-9]\d{0,6}$/.test(number)) return `"${number}" is no number of ours`;
  const chosen = faults.filter(({ name }) => values.fault?.includes(name) ?? true);
  return { level, rounds: Number(rounds), rate: Number(rate), seed: Number(seed), chosen };
}

function isLevel(text: string): text is Level {
  return text === 'stream' || text === 'receipt' || text === 'gate';
}
