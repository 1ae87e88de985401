import assert from 'node:assert/strict';
import { mock, test } from 'node:test';
import { StreamStarts } from '../../../../src/edge/grpc/discovery/stream-starts.ts';

test('as many as come in a second may start at once; the others wait their turn, in their order', (t) => {
  mock.timers.enable({ apis: ['setTimeout'] });
  t.after(() => {
    mock.timers.reset();
  });
  const starts = new StreamStarts(10);
  const started: number[] = [];
  for (let index = 0; index < 30; index += 1) starts.take(() => started.push(index), 5000);
  const atOnce = started.length;
  assert.ok(atOnce === 10 || atOnce === 11, `${atOnce} started at once`);
  mock.timers.tick(1000);
  assert.equal(started.length, atOnce + 10);
  mock.timers.tick(1000);
  assert.deepEqual(
    started,
    Array.from({ length: 30 }, (_, index) => index),
  );
});

test('who leaves the line does not start, nor does anybody after the end', (t) => {
  mock.timers.enable({ apis: ['setTimeout'] });
  t.after(() => {
    mock.timers.reset();
  });
  const starts = new StreamStarts(1);
  const started: string[] = [];
  for (const name of ['first', 'second']) starts.take(() => started.push(name), 0);
  const leave = starts.take(() => started.push('leaver'), 0);
  starts.take(() => started.push('stayer'), 0);
  leave();
  mock.timers.tick(2500);
  assert.deepEqual(started, ['first', 'second', 'stayer']);
  starts.take(() => started.push('late'), 0);
  starts.close();
  mock.timers.tick(60_000);
  assert.deepEqual(started, ['first', 'second', 'stayer']);
});
