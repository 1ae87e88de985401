import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseTimeBound } from '../../../src/sink/query/time-bound.ts';

const now = Date.parse('2026-11-24T12:34:56.789Z');

const bounds: Readonly<Record<string, string>> = {
  '2026-11-24T10:00:00Z': '2026-11-24T10:00:00.000000000Z',
  '2026-11-24T10:00:00+09:00': '2026-11-24T01:00:00.000000000Z',
  '2026-11-24t10:00:00z': '2026-11-24T10:00:00.000000000Z',
  '2026-11-24 10:00:00Z': '2026-11-24T10:00:00.000000000Z',
  '2026-11-24T10:00:00.123456789Z': '2026-11-24T10:00:00.123456789Z',
  '2026-11-24T10:00:00.5-01:30': '2026-11-24T11:30:00.500000000Z',
  '2026-11-24': '2026-11-24T00:00:00.000000000Z',
  '2028-02-29': '2028-02-29T00:00:00.000000000Z',
  today: '2026-11-24T00:00:00.000000000Z',
  '90s': '2026-11-24T12:33:26.789000000Z',
  '30m': '2026-11-24T12:04:56.789000000Z',
  ' 2h ': '2026-11-24T10:34:56.789000000Z',
  '7d': '2026-11-17T12:34:56.789000000Z',
  '0s': '2026-11-24T12:34:56.789000000Z',
};
for (const [text, bound] of Object.entries(bounds)) {
  test(`${JSON.stringify(text)} is ${bound}`, () => {
    assert.equal(parseTimeBound(text, now), bound);
  });
}

const refused = [
  ...['', 'now', '2h30m', '-2h', '1.5h', '2H', '999999999d', '2026-02-30', '2026-02-29', '2026-00-01', '2026-13-01'],
  ...[
    '2026-02-30T00:00:00Z',
    '2026-11-24T25:00:00Z',
    '2026-11-24T10:00Z',
    '2026-11-24T10:00:00',
    '2026-11-24T10:00:00.Z',
  ],
  ...[
    '2026-11-24T10:00:00.1234567890Z',
    '2026-11-24T10:00:00+0900',
    '2026-11-24T10:00:00Zx',
    '1950-01-01',
    '24/11/2026',
  ],
];
for (const text of refused) {
  test(`${JSON.stringify(text)} is no time`, () => {
    assert.throws(() => parseTimeBound(text, now), { code: 'usage' });
  });
}

test('every moment that is written is read back', () => {
  fc.assert(
    fc.property(fc.date({ min: new Date(0), max: new Date('9999-12-31T23:59:59Z'), noInvalidDate: true }), (moment) => {
      const written = moment.toISOString();
      assert.equal(parseTimeBound(written, now), `${written.slice(0, -1)}000000Z`);
    }),
  );
});
