import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { watchPolicy } from '../../../src/edge/cli/watch-policy.ts';
import { eventually } from '../../support/envoy.ts';

let dir = '';
before(async () => {
  dir = await mkdtemp(join(tmpdir(), 'sekisho-watch-'));
});
after(() => rm(dir, { recursive: true }));

test('a change of the policy or of a file that it names calls back, until it names it no more', async (t) => {
  const [policy, users, other] = ['sekisho.yaml', 'users', 'other'].map((name) => join(dir, name));
  assert.ok(policy !== undefined && users !== undefined && other !== undefined);
  let calls = 0;
  const watch = watchPolicy(policy, () => (calls += 1));
  t.after(() => {
    watch.close();
  });
  /** Changes the file and waits for the call. */
  const heard = async (file: string): Promise<void> => {
    const before = calls;
    await writeFile(file, `${Math.random()}`);
    await eventually(`a call for ${file}`, () => Promise.resolve(calls > before));
  };
  await heard(policy);
  watch.follow([users, other]);
  await heard(users);
  await heard(other);
  watch.follow([other]);
  await heard(policy);
  await heard(other);
  // The policy is heard after it, so a call for the other one would have come before.
  const before = calls;
  await writeFile(users, 'changed');
  await heard(policy);
  assert.ok(calls <= before + 2, `${calls - before} calls`);
});

test('after the end nobody is called, and nothing is watched anew', async () => {
  const watch = watchPolicy(join(dir, 'sekisho.yaml'), () => assert.fail());
  watch.close();
  watch.follow([join(dir, 'users')]);
  await writeFile(join(dir, 'users'), 'again');
  watch.close();
});
