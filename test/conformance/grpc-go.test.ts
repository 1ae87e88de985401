import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { temporary } from '../support/serve.ts';
import { bootstrapOf } from './grpc-service.ts';
import { Rig } from './rig.ts';
import { assertFollows } from './service-moves.ts';

const rig = await Rig.start();
const node = 'grpc-go';
const sources = fileURLToPath(new URL('go', import.meta.url));
const hasGo = spawnSync('go', ['version']).status === 0;
const skip = hasGo || process.env['CI'] === 'true' ? false : 'SKIPPED: Go is not installed here';

test(
  'grpc-go resolves xds:///service and calls it; when its endpoints, or its cluster, change the calls follow and none fails',
  { skip },
  async (t) => {
    await assertFollows(t, rig, node, startClient(t, await build(t), bootstrapOf(rig, node)));
  },
);

/** Fetches the modules that go.sum names, where they are not here yet. */
async function build(t: TestContext): Promise<string> {
  const program = join(await temporary(t), 'client');
  const { status, stderr } = spawnSync('go', ['build', '-buildvcs=false', '-o', program, '.'], {
    cwd: sources,
    encoding: 'utf8',
  });
  assert.equal(status, 0, stderr);
  return program;
}

/** The client as a process; gives how to make it call. */
function startClient(t: TestContext, program: string, bootstrap: string): () => Promise<string> {
  const child = spawn(program, {
    env: { ...process.env, GRPC_XDS_BOOTSTRAP_CONFIG: bootstrap },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  t.after(() => child.kill('SIGKILL'));
  const answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return async () => {
    child.stdin.write('\n');
    const answer = await answers.next();
    assert.ok(answer.done !== true, 'the client ended');
    return answer.value;
  };
}
