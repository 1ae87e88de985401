import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test, type TestContext } from 'node:test';
import { sharedPki } from '../edge/grpc/fixture.ts';
import { startRecords } from '../edge/grpc/records-fixture.ts';
import { consoleRequest } from '../sink/record/entries.ts';
import { eventually } from '../support/envoy.ts';
import { temporary } from '../support/serve.ts';

const pki = await sharedPki();
const credentials = await pki.server();

/** Runs examples/tail.mjs on the built client until it has printed so many lines. */
async function runExample(t: TestContext, folder: string, address: string, lines: number): Promise<string[]> {
  const args = ['examples/tail.mjs', folder, join(folder, 'cursor.txt')];
  const child = spawn(process.execPath, args, {
    env: { ...process.env, SEKISHO: address },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  t.after(() => child.kill('SIGKILL'));
  const ended = once(child, 'close');
  const said: string[] = [];
  createInterface({ input: child.stdout }).on('line', (line) => said.push(line));
  await eventually(`${lines} lines`, () => Promise.resolve(said.length >= lines));
  child.kill('SIGTERM');
  assert.deepEqual(await ended, [0, null]);
  return said;
}

test('the example prints what is not a GET, and goes on where it was', async (t) => {
  const { source, to } = await startRecords(t, { credentials });
  const folder = join(await temporary(t), 'audit');
  await mkdir(folder);
  const { ca, key, certificate } = await pki.client('reader', 'audit');
  await Promise.all([
    writeFile(join(folder, 'fleet-ca.crt'), ca),
    writeFile(join(folder, 'reader.key'), key),
    writeFile(join(folder, 'reader.crt'), certificate),
  ]);
  const request = (request_method: string, path: string) => consoleRequest({ request_method, path });
  await source.storeEntries({ http: [request('GET', '/look'), request('POST', '/change')] });
  const [first] = await runExample(t, folder, to, 1);
  assert.match(first ?? '', /^2026-\S+ taro\.yamada POST \/change$/);
  assert.equal(await readFile(join(folder, 'cursor.txt'), 'utf8'), '2');
  await source.storeEntries({ http: [request('DELETE', '/remove')] });
  const again = await runExample(t, folder, to, 1);
  assert.equal(again.length, 1);
  assert.match(again[0] ?? '', /DELETE \/remove$/);
});
