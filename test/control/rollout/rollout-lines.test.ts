import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rolloutLines } from '../../../src/control/rollout/rollout-lines.ts';
import type { RolloutJson } from '../../../src/control/rollout/rollout.types.ts';

const steady: RolloutJson = {
  state: 'steady',
  since: null,
  wanted: '0123456789abcdef',
  stable: '0123456789abcdef',
  canaries: [],
  soak: { seconds: 60, left: 0 },
  traffic: null,
  waits: [],
  refusal: null,
};

test('a steady fleet has two lines', () => {
  assert.deepEqual(rolloutLines(steady), [
    'ROLLOUT  steady: all nodes shall have the policy of the file',
    '  file       0123456789abcdef',
  ]);
});

test('of a change on trial it says who has it, for how long, what was answered, and what it waits for', () => {
  const trial: RolloutJson = {
    ...steady,
    state: 'canary',
    since: '2026-11-24T00:00:00.500Z',
    wanted: 'fedcba9876543210',
    canaries: ['egress-1', 'egress-2'],
    soak: { seconds: 60, left: 41 },
    traffic: {
      canary: { requests: 120, serverErrors: 3, denied: 0 },
      rest: { requests: 0, serverErrors: 0, denied: 0 },
    },
    waits: ['the soak: 41 s left', 'egress-2 is not connected'],
  };
  assert.deepEqual(rolloutLines(trial), [
    'ROLLOUT  canary since 2026-11-24T00:00:00Z: the canary nodes try a change',
    '  file       fedcba9876543210',
    '  others     0123456789abcdef',
    '  canary     egress-1, egress-2',
    '  soak       41 s of 60 s left',
    '  answers    canary 120, 2.5 % server errors, 0.0 % denied; others 0',
    '  waits for  the soak: 41 s left',
    '  waits for  egress-2 is not connected',
  ]);
});

test('of a change that was rolled back it says why', () => {
  const refusal = { cause: 'nack', text: 'egress-1 refused it: no such field' } as const;
  const lines = rolloutLines({ ...steady, state: 'rolled-back', wanted: 'fedcba9876543210', refusal });
  assert.equal(lines[0], 'ROLLOUT  rolled-back: all nodes have what they had before');
  assert.equal(lines[2], '  all nodes  0123456789abcdef');
  assert.equal(lines.at(-1), '  because    nack: egress-1 refused it: no such field');
});
