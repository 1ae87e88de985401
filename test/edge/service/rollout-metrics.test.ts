import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Log } from '../../../src/base/log.ts';
import { createMetrics } from '../../../src/base/metrics.ts';
import { firstState, step } from '../../../src/control/rollout/machine.ts';
import type { RolloutEvent } from '../../../src/control/rollout/rollout.types.ts';
import { rolloutObserver } from '../../../src/edge/service/rollout-metrics.ts';

const rules = { canary: { nodes: ['egress-1'] }, soakSeconds: 60 };
const want = (id: string, changes = true): RolloutEvent => ({ kind: 'wanted', at: 0, id, changes, asOnTrial: false });
const command = (kind: 'force' | 'pause' | 'rollback'): RolloutEvent => ({ kind, at: 1, operator: 'taro' });

/** Events → log lines, by their level and first words. */
const stories: Readonly<Record<string, readonly [readonly RolloutEvent[], readonly string[]]>> = {
  'a change that goes on': [
    [want('b'), command('pause'), command('force')],
    ['info a change goes to the canary', 'info a change goes to all nodes'],
  ],
  'a change that is rolled back': [
    [want('b'), { kind: 'nacked', at: 2, node: 'egress-1', text: 'no' }, want('b')],
    ['info a change goes to the canary', 'error a change was rolled back'],
  ],
  'one after the other': [
    [want('b'), { ...want('c'), at: 5 }],
    ['info a change goes to the canary', 'info a change goes to the canary'],
  ],
  'a change that the file takes back': [
    [want('b'), want('a', false)],
    ['info a change goes to the canary', 'info a change was taken back before'],
  ],
};
for (const [name, [events, expected]] of Object.entries(stories)) {
  test(`${name} is told`, async () => {
    const lines: string[] = [];
    const at = (level: string) => (message: string) => void lines.push(`${level} ${message}`);
    const log = { error: at('error'), warn: at('warn'), info: at('info'), debug: at('debug') } as unknown as Log;
    const metrics = createMetrics({ process: false });
    const observe = rolloutObserver(metrics, log);
    events.reduce((state, event) => {
      const next = step(state, event, rules);
      if (next !== state) observe(state, next);
      return next;
    }, firstState('a'));
    assert.equal(lines.length, expected.length, lines.join('\n'));
    lines.forEach((line, n) => {
      assert.ok(line.startsWith(expected[n] ?? ''), line);
    });
    const text = await metrics.text();
    const begun = expected.filter((line) => line.includes('goes to the canary')).length;
    assert.match(text, new RegExp(`sekisho_rollouts_total\\{result="begun"\\} ${begun}`));
  });
}
