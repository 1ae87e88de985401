import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { it } from 'node:test';
import { temporaryFolder } from '../../../src/base/temporary-folder.ts';
import { recordsOfStory } from '../../../src/edge/demo/records-of-story.ts';
import type { Scene } from '../../../src/edge/demo/scene.ts';
import type { SeenRequest } from '../../../src/edge/demo/seen-requests.ts';
import type { StandIn } from '../../../src/edge/demo/stand-in.ts';
import { journalFolder } from '../../../src/edge/service/sink-role.ts';

const ghost: SeenRequest = {
  ...{ method: 'GET', host: 'ghost.example', path: '/a?secret=b', headers: {} },
  ...{ httpVersion: '1.1', requestId: 'never-recorded', webSocket: false },
};

it('says what did not come, once its patience is over', async (t) => {
  const folder = await temporaryFolder('sekisho-story-');
  t.after(() => folder.remove());
  await mkdir(journalFolder(folder.path));
  const wanted = { refusals: 1, intents: true };
  const { missing, items, next } = await recordsOfStory(stageWith(folder.path, [ghost]), wanted, 200);
  assert.deepEqual(missing, ['GET ghost.example/a', 'GET ghost.example/a before it left', 'a refusal']);
  assert.deepEqual([items.length, next], [0, 0]);
});

/** As much of a stage as there is to look at. */
function stageWith(data: string, requests: readonly SeenRequest[]): { scene: Scene; standIn: StandIn } {
  const nowhere = { certificate: '', key: '' };
  return {
    scene: { policyFile: '', pki: '', data, console: { cert: '', key: '' }, person: { name: '', ...nowhere } },
    standIn: {
      ...{ host: '127.0.0.1', port: 0, requests },
      counts: () => ({ total: requests.length, forgotten: 0 }),
      close: () => Promise.resolve(),
    },
  };
}
