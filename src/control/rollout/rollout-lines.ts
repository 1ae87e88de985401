import { percent } from './health.ts';
import type { Counts, RolloutJson } from './rollout.types.ts';

/** A rollout as lines for a terminal. */
export function rolloutLines(rollout: RolloutJson): string[] {
  const { state, since, wanted, stable, canaries, soak, traffic, waits, refusal } = rollout;
  const rows: (readonly [string, string])[] = [['file', wanted]];
  if (wanted !== stable) rows.push([traffic === null ? 'all nodes' : 'others', stable]);
  if (traffic !== null) {
    rows.push(['canary', canaries.length === 0 ? '-' : canaries.join(', ')]);
    rows.push(['soak', `${soak.left} s of ${soak.seconds} s left`]);
    rows.push(['answers', `canary ${shares(traffic.canary)}; others ${shares(traffic.rest)}`]);
  }
  for (const wait of waits) rows.push(['waits for', wait]);
  if (refusal !== null) rows.push(['because', `${refusal.cause}: ${refusal.text}`]);
  const head = `ROLLOUT  ${state}${since === null ? '' : ` since ${since.replace(/\.\d+Z$/, 'Z')}`}: ${words[state]}`;
  return [head, ...rows.map(([name, text]) => `  ${name.padEnd(9)}  ${text}`)];
}

const words: Readonly<Record<RolloutJson['state'], string>> = {
  steady: 'all nodes shall have the policy of the file',
  canary: 'the canary nodes try a change',
  paused: 'the canary nodes have a change, and it stays there',
  spreading: 'all nodes have just been told of a change',
  'rolled-back': 'all nodes have what they had before',
};

function shares({ requests, serverErrors, denied }: Counts): string {
  if (requests === 0) return '0';
  return `${requests}, ${percent(serverErrors / requests)} server errors, ${percent(denied / requests)} denied`;
}
