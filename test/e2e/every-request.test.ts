import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { openHouse, type House } from '../support/house.ts';

let house: House;
before(async () => {
  house = await openHouse();
});
after(() => house.close());

const requests = 600;
const hosts = ['us-east-1.console.aws.amazon.com', 'signin.aws.amazon.com', 'us-east-1.signin.aws'];

test(`${requests} requests at once, by HTTP/1.1 and HTTP/2 through both doors, have one record each and none has two`, async () => {
  const people = (['lab', 'office'] as const).flatMap((door) =>
    ([1, 2] as const).flatMap((proxyHttp) =>
      ([1, 2] as const).map((http) => ({ person: house.visitor({ door, proxyHttp, timeout: 30_000 }), http, door })),
    ),
  );
  const each = requests / people.length;
  const statuses = await Promise.all(
    people.flatMap(({ person, http, door }, who) =>
      Array.from({ length: each }, async (_, index) => {
        const host = hosts[index % hosts.length] ?? '';
        const headers = { 'user-agent': `crowd/${door}/${who}` };
        const method = index % 5 === 0 ? 'POST' : 'GET';
        const path = index % 7 === 0 ? '/missing' : index % 11 === 0 ? '/broken' : '/api/crowd';
        const url = `https://${host}${path}?who=${who}&index=${index}`;
        const { status } = await person.request({
          url,
          method,
          headers,
          http,
          ...(method === 'POST' && { body: 'a=b' }),
        });
        return status;
      }),
    ),
  );
  assert.equal(statuses.filter((status) => [200, 404, 503].includes(status)).length, requests);
  assert.deepEqual(house.standIn.counts(), { total: requests, forgotten: 0 });

  // The last request comes last; what was before it in the same buffers is there as well, so the marker waits for all of them.
  for (const { requestId = '' } of house.standIn.requests) await house.record({ 'sekisho.stream_id': requestId });
  await Promise.all(people.map(({ person }) => person.close()));
  await house.visitor().request({ url: `https://${hosts[0] ?? ''}/api/marker` });
  await house.record({ 'url.path': '/api/marker' });

  const recorded = new Map<string, number>();
  for (const record of house.records) {
    if (String(record['user_agent.original']).startsWith('crowd/')) {
      const id = String(record['sekisho.stream_id']);
      recorded.set(id, (recorded.get(id) ?? 0) + 1);
    }
  }
  const seen = house.standIn.requests.filter(({ headers }) => headers['user-agent']?.startsWith('crowd/'));
  assert.equal(new Set(seen.map(({ requestId }) => requestId)).size, requests);
  assert.deepEqual([...recorded.keys()].sort(), seen.map(({ requestId }) => requestId ?? '').sort());
  assert.deepEqual(
    [...recorded.values()].filter((count) => count !== 1),
    [],
  );

  const byId = new Map(house.records.map((record) => [record['sekisho.stream_id'], record]));
  for (const request of seen) {
    const record = byId.get(request.requestId ?? '');
    assert.ok(record);
    assert.equal(record['http.request.method'], request.method);
    assert.equal(record['server.address'], request.host);
    assert.equal(`${String(record['url.path'])}?${String(record['url.query'])}`, request.path);
    assert.equal(record['user.id'], request.headers['user-agent']?.includes('/office/') ? 'taro.yamada' : undefined);
  }
});
