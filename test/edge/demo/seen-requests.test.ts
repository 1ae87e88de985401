import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { SeenRequests, type SeenRequest } from '../../../src/edge/demo/seen-requests.ts';

describe('the list of requests that the stand-in saw', () => {
  it('holds the newest in their order within its bound of entries, and counts them all', () => {
    const bound = fc.integer({ min: 1, max: 50 });
    fc.assert(
      fc.property(bound, fc.integer({ min: 0, max: 300 }), (entries, count) => {
        const seen = new SeenRequests(entries);
        for (let i = 0; i < count; i++) seen.add(request(String(i)));
        assert.ok(seen.requests.length <= entries);
        assert.deepEqual([seen.total, seen.forgotten], [count, count - seen.requests.length]);
        const newest = Array.from({ length: count }, (_, i) => String(i)).slice(count - seen.requests.length);
        assert.deepEqual(seen.requests.map(({ path }) => path), newest); // prettier-ignore
        // Room is made for an eighth of the bound at a time, not for everything.
        if (count >= entries) assert.ok(seen.requests.length >= Math.floor((entries * 7) / 8));
      }),
    );
  });

  it('stays within its bound of bytes, whether they are in paths or in headers', () => {
    const long = 'x'.repeat(10_000);
    for (const big of [request(long), request('/', { cookie: long })]) {
      const seen = new SeenRequests(1_000_000, 200_000);
      for (let i = 0; i < 100; i++) seen.add(big);
      assert.ok(seen.requests.length >= 10 && seen.requests.length < 20, `${seen.requests.length} kept`);
      assert.deepEqual([seen.total, seen.forgotten], [100, 100 - seen.requests.length]);
    }
  });

  it('forgets even the newest where it alone is more than the bound', () => {
    const seen = new SeenRequests(10, 1000);
    seen.add(request('x'.repeat(2000)));
    assert.deepEqual([seen.requests.length, seen.total, seen.forgotten], [0, 1, 1]);
  });

  it('shows the body of a request once it is told of it', () => {
    const seen = new SeenRequests();
    const entry = seen.add(request('/'));
    assert.equal(seen.requests[0]?.body, undefined);
    entry.body = { bytes: 5, sha256: 'abc' };
    assert.deepEqual(seen.requests[0]?.body, { bytes: 5, sha256: 'abc' });
  });
});

function request(path: string, headers: SeenRequest['headers'] = {}): Omit<SeenRequest, 'body'> {
  return { method: 'GET', host: 'h', path, httpVersion: '1.1', headers, requestId: undefined, webSocket: false };
}
