import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseStatus } from '../../../src/sink/query/filter.ts';

const written: Readonly<Record<string, readonly (readonly [number, number])[]>> = {
  '200': [[200, 200]],
  '4xx': [[400, 499]],
  '5XX': [[500, 599]],
  '400-404': [[400, 404]],
  '404-404': [[404, 404]],
  '200, 301 ,5xx': [
    [200, 200],
    [301, 301],
    [500, 599],
  ],
};
for (const [text, ranges] of Object.entries(written)) {
  test(`${text} is read`, () => {
    assert.deepEqual(parseStatus(text), ranges);
  });
}

test('anything else is wrong use', () => {
  for (const text of ['', ' ', '0xx', '6xx', '20', '2000', '404-400', '2xx-4xx', '200,,301', 'x']) {
    assert.throws(() => parseStatus(text), { code: 'usage' }, text);
  }
});
