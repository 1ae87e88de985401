import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';
import { invitation } from '../../../src/edge/demo/invitation.ts';
import { recordsOfStory } from '../../../src/edge/demo/records-of-story.ts';
import type { Stage } from '../../../src/edge/demo/stage.ts';
import { project } from '../../support/compose.ts';
import { openStage } from './open-stage.ts';

describe('what the demo invites to', () => {
  let stage: Stage;
  let lines: readonly string[];
  before(async () => {
    stage = await openStage();
    lines = invitation(stage)
      .split('\n')
      .map((line) => line.trim());
  });
  after(() => stage.close());

  it('are commands of curl that work as they stand, each on record', async () => {
    const commands = lines.filter((line) => line.startsWith('curl '));
    assert.equal(commands.length, 2);
    for (const command of commands) {
      const [curl = '', ...args] = command.split(' ');
      const { stdout } = await promisify(execFile)(curl, ['-sS', ...args]);
      assert.match(stdout, /Console home \(stand-in\)/, command);
    }
    const { items, missing } = await recordsOfStory(stage, { refusals: 0, intents: false });
    assert.deepEqual(missing, []);
    const pages = items.flatMap((item) => (item.kind === 'record' ? [item.record] : []));
    const users = pages.filter((one) => one['url.path'] === '/console/home').map((one) => one['user.id']);
    // Each door has a log of its own, so that the order of the two is open.
    assert.deepEqual(new Set(users), new Set([undefined, stage.scene.person.name]));
    assert.equal(users.length, 2);
  });

  it('are commands of sekisho that exist, with the places of this run', async () => {
    const commands = lines.filter((line) => line.startsWith('npx sekisho '));
    assert.deepEqual(commands.map((command) => command.split(' ')[2]), ['records', 'fleet']); // prettier-ignore
    assert.ok(commands[0]?.includes(`--data ${stage.scene.data} --follow`));
    // The fleet is in step: exit code 0.
    const args = ['--import', 'tsx', 'src/main.ts', ...(commands[1]?.split(' ').slice(2) ?? [])];
    const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: project });
    assert.match(stdout, /egress-1/);
  });

  it('are addresses that answer', async () => {
    const urls = lines.join(' ').match(/http:\/\/127\.0\.0\.1:\d+[\w./]*[\w/]/g) ?? [];
    const own = urls.filter((url) => !url.endsWith(`:${stage.policy.doors[1]?.listen.port ?? 0}`));
    assert.ok(own.length >= 3, urls.join(' '));
    for (const url of own) assert.ok((await fetch(url.replace(/(:\d+)$/, '$1/'))).status < 500, url);
  });
});
