import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { OutputRules } from '../../../src/policy/policy.types.ts';
import { outputName, Outputs } from '../../../src/sink/outputs/outputs.ts';
import { FaultyDisk } from '../../base/faulty-disk.ts';
import { eventually } from '../../support/envoy.ts';
import { Source } from './fixture.ts';

const rules = (dir: string, bytes = 1e6): OutputRules => ({ kind: 'jsonl', dir, rotate: { bytes, seconds: 3600 } });

async function house() {
  const source = await new Source().open();
  const disk = new FaultyDisk();
  const ended: string[] = [];
  const outputs = new Outputs({
    cursors: '/data/outputs',
    disk,
    clock: source.clock,
    journal: source.followed,
    observe: (name) => ({ ended: () => ended.push(name) }),
  });
  source.onCommit(() => {
    outputs.grown();
  });
  const lines = (dir: string): number =>
    disk
      .paths()
      .filter((path) => path.startsWith(`${dir}/`))
      .reduce((sum, path) => sum + (disk.contents(path)?.toString().split('\n').length ?? 1) - 1, 0);
  const has = (dir: string, count: number) =>
    eventually(`${count} lines in ${dir}`, () => Promise.resolve(lines(dir) === count));
  return { source, disk, outputs, ended, lines, has };
}

test('an output that is added has everything, one that is removed gets no more, one that comes back goes on', async () => {
  const { source, outputs, ended, lines, has } = await house();
  await source.store('/a');
  await outputs.adopt([rules('/one')]);
  await has('/one', 1);
  await outputs.adopt([rules('/one'), rules('/two')]);
  await has('/two', 1);
  assert.deepEqual(
    outputs.lags().map(([name]) => name),
    ['jsonl:/one', 'jsonl:/two'],
  );
  await outputs.adopt([rules('/two')]);
  assert.deepEqual(ended, ['jsonl:/one']);
  await source.store('/b');
  await has('/two', 2);
  assert.equal(lines('/one'), 1);
  await outputs.adopt([rules('/one')]);
  await has('/one', 2);
  await outputs.close();
  await outputs.close();
  assert.deepEqual(outputs.lags(), []);
});

test('an output that is changed goes on by its new rules where it was', async () => {
  const { source, disk, outputs, has } = await house();
  await outputs.adopt([rules('/one')]);
  await source.store('/a', '/b');
  await has('/one', 2);
  await outputs.adopt([rules('/one', 1)]);
  await source.store('/c');
  await has('/one', 3);
  assert.equal(disk.paths().filter((path) => path.startsWith('/one/')).length, 2);
  await outputs.close();
});

test('each output has a cursor of its own that says whose it is', async () => {
  const { source, disk, outputs, has } = await house();
  await source.store('/a');
  await outputs.adopt([rules('/one'), rules('/two')]);
  await has('/one', 1);
  await has('/two', 1);
  await outputs.close();
  const cursors = disk
    .paths()
    .filter((path) => path.startsWith('/data/outputs/'))
    .map((path) => JSON.parse(disk.contents(path)?.toString() ?? '') as Record<string, unknown>);
  assert.deepEqual(cursors.map(({ output }) => output).sort(), [rules('/one'), rules('/two')].map(outputName));
  assert.ok(cursors.every(({ next }) => next === 1));
});
