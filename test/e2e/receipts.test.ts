import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { eventually, get } from '../support/envoy.ts';
import { openHouse, type House } from '../support/house.ts';

let house: House;
before(async () => {
  house = await openHouse({
    policy: (policy) => {
      policy.record.assurance = 'receipt';
    },
  });
});
after(() => house.close());

const host = 'us-east-1.console.aws.amazon.com';

/** One person asks for so many pages, some at a time. */
async function ask(agent: string, count: number): Promise<void> {
  const person = house.visitor({ timeout: 30_000 });
  for (let index = 0; index < count; index += 20) {
    await Promise.all(
      Array.from({ length: Math.min(20, count - index) }, (_, one) =>
        person.request({ url: `https://${host}/api/${index + one}`, headers: { 'user-agent': agent } }),
      ),
    );
  }
  await person.close();
}

/** How often each request that the stand-in saw of this visitor is on record. */
function timesRecorded(agent: string): number[] {
  const times = new Map(
    house.standIn.requests
      .filter(({ headers }) => headers['user-agent'] === agent)
      .map(({ requestId }) => [requestId, 0]),
  );
  for (const record of house.records) {
    const id = record['user_agent.original'] === agent ? String(record['sekisho.stream_id']) : undefined;
    if (id !== undefined) times.set(id, (times.get(id) ?? 0) + 1);
  }
  return [...times.values()];
}

async function metric(name: string): Promise<number> {
  const { body } = await get(`http://${house.address}:18080/metrics`);
  return body
    .split('\n')
    .filter((line) => line.startsWith(name) && !line.startsWith('#'))
    .reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
}

test('each request has one record although Envoy sends two copies, and both arrive', async () => {
  await ask('twice', 200);
  await eventually('all on record', () => Promise.resolve(timesRecorded('twice').every((times) => times > 0)));
  const stored = house.records.filter((record) => record['user_agent.original'] === 'twice').length;
  await eventually('the second copies', async () => (await metric('sekisho_duplicates_total')) >= stored);
  assert.deepEqual(
    timesRecorded('twice').filter((times) => times !== 1),
    [],
  );
  assert.equal(timesRecorded('twice').length, 200);
});
