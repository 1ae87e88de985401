import assert from 'node:assert/strict';
import { test } from 'node:test';
import { endure } from './endure.ts';

/** What V8 keeps of the way there; what grows with each change is far above it. */
const growth = 8 * 1024 * 1024;

test('after 2,000 random changes 20 clients, which left and came back, hold what was published last, and the server what it held before', async () => {
  const { looks, wrong, broken, complaints, responses } = await endure({
    changes: 2000,
    clients: 20,
    groups: 4,
    changesPerSecond: 500,
    changesPerReconnect: 10,
    seed: 1,
    looks: 8,
  });
  assert.deepEqual([wrong, broken, complaints], [[], [], '']);
  // There was work to do; how much of it comes together in one response is for the machine to say.
  assert.ok(responses > 500, String(responses));
  // One is on its way out while the next is on its way in.
  assert.ok(looks.every(({ streams }) => streams >= 18 && streams <= 22));
  const [first = 0, ...later] = looks.map(({ heap }) => heap);
  assert.ok(Math.max(...later) - first < growth, `heap in bytes: ${[first, ...later].join(' ')}`);
});
