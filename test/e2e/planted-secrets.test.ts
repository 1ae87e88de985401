import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { connectRecords } from '../../src/client/index.ts';
import { eventually, get } from '../support/envoy.ts';
import { openHouse, type DoorEntry, type House } from '../support/house.ts';
import { perform } from '../support/perform-attempt.ts';
import { attempts, known, mark } from '../support/planted-attempts.ts';
import { assertNowhere, filesIn, type Place } from '../support/secret-search.ts';
import { sekisho } from '../support/sekisho.ts';
import { usersLine } from '../support/users-line.ts';

/** SEKISHO_SEED=n plants otherwise, SEKISHO_PLANTED=n plants n of each kind. */
const seed = Number(process.env['SEKISHO_SEED'] ?? 20_261_124);
const each = Number(process.env['SEKISHO_PLANTED'] ?? 5);

/** Beside `lab` (no users) and `office` (client certificates), which every house has. */
const more = (address: string): DoorEntry[] => [
  { name: 'desk', on: 'egress', kind: 'forward', listen: `${address}:3130`, users: { basic: 'users' } },
  { name: 'blind', on: 'egress', kind: 'forward', inspect: 'tunnel', listen: `${address}:3131`, users: 'none' },
  { name: 'lan', on: 'egress', kind: 'reverse', listen: `${address}:8443`, users: 'none' },
  { name: 'pass', on: 'egress', kind: 'reverse', inspect: 'tunnel', listen: `${address}:8444`, users: 'none' },
  { name: 'hosts', on: 'egress', kind: 'sidecar', listen: `${address}:15001`, users: 'none' },
];

test('of secrets in every place where a client can put text, none is in a record, a log, a metric, an error page or an output', async (t) => {
  let doors: readonly DoorEntry[] = [];
  const house = await openHouse({
    files: { users: await usersLine(known.name, known.password) },
    policy: (policy) => {
      policy.doors.push(...more(policy.doors[0]?.listen.split(':')[0] ?? ''));
      // Nobody answers there: every host is pinned.
      policy.console.resolvers = ['127.0.0.1:1'];
      policy.outputs = [{ kind: 'jsonl', dir: 'out' }];
      ({ doors } = policy);
    },
  });
  t.after(() => house.close());

  const planted = fc.sample(attempts(each), { seed, numRuns: 1 }).flat();
  const answers = await Promise.all(
    planted.map((attempt, index) =>
      // Some of it nobody answers, and the client says so.
      perform(t, house, doors, attempt, addressOf(index)).catch((caught: unknown) => Buffer.from(String(caught))),
    ),
  );
  // What came to a door was not turned away before Envoy looked at it.
  for (const [index, attempt] of planted.entries()) {
    if ('door' in attempt) await house.record({ 'client.address': addressOf(index) });
  }

  // And what was asked in earnest came through to the console with its secrets.
  const seen = house.standIn.requests.filter((request) => JSON.stringify(request).includes(mark));
  assert.ok(seen.length > each, `the stand-in saw ${seen.length} requests with secrets`);
  const refused = answers.filter((answer) => /^HTTP\/1\.1 4\d\d/.test(answer.toString()));
  assert.ok(refused.length > each, `${refused.length} requests were refused`);

  const places = await everything(house);
  const answered = answers.map((bytes, index) => ({ name: `the answer to ${planted[index]?.kind ?? ''}`, bytes }));
  assertNowhere({ [`what was planted by SEKISHO_SEED=${seed}`]: mark }, [...places, ...answered]);
});

function addressOf(index: number): string {
  return `127.240.${Math.floor(index / 250)}.${(index % 250) + 1}`;
}

/** All that is left of what was said, wherever somebody may look. */
async function everything(house: House): Promise<Place[]> {
  const page = async (name: string) => (await get(`http://${house.address}:18080/${name}`)).body;
  await eventually('the output has it all', async () =>
    /^sekisho_output_lag_records\{.*\} 0$/m.test(await page('metrics')),
  );
  const data = join(house.dir, 'data');
  const texts = {
    'the log': house.log.join('\n'),
    metrics: await page('metrics'),
    fleet: await page('fleet'),
    readiness: await page('readyz'),
    'sekisho records': await saidBy(['records', '--data', data]),
    'sekisho records -o json': await saidBy(['records', '--data', data, '-o', 'json']),
    'sekisho fleet': await saidBy(['fleet', '-c', house.policyFile]),
    'the gRPC API': await overGrpc(house),
  };
  const files = await filesIn(house.dir);
  assert.ok(files.some(({ name, bytes }) => name.endsWith('.jsonl') && bytes.includes('REDACTED')));
  return [...files, ...Object.entries(texts).map(([name, text]) => ({ name, bytes: Buffer.from(text) }))];
}

async function saidBy(args: readonly string[]): Promise<string> {
  const { stdout, stderr } = await sekisho(args);
  return stdout + stderr;
}

async function overGrpc(house: House): Promise<string> {
  const records = connectRecords({ address: `${house.address}:18000` });
  const said: string[] = [];
  for await (const item of records.query({ form: 'both' })) {
    said.push(JSON.stringify(item));
    if (item.kind === 'record') said.push(Buffer.from(item.payload).toString('latin1'));
  }
  for await (const item of records.tail({ from: 0 })) {
    said.push(JSON.stringify(item));
    if (item.index === house.records.length - 1) break;
  }
  records.close();
  return said.join('\n');
}
