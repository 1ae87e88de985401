import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { freePorts } from '../../src/edge/demo/free-ports.ts';
import { eventually, findEnvoy } from '../support/envoy.ts';
import { fencedLines, sections } from '../support/markdown.ts';

const project = fileURLToPath(new URL('../..', import.meta.url));
const readme = await readFile(join(project, 'README.md'), 'utf8');
const steps = fencedLines(sections(readme, 2).get('Run it') ?? '', 'sh');
const url = 'https://us-east-1.console.aws.amazon.com/console/home';

/** The ports of the example, each with one that is free here: another test, or the reader, may be using them. */
let ports: Readonly<Record<string, number>> = {};
let folder = '';
const running: ChildProcess[] = [];

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sekisho-readme-'));
  let example = await readFile(join(project, 'sekisho.example.yaml'), 'utf8');
  ports = await freePorts({ '18000': 0, '18080': 0, '18081': 0, '3128': 0 });
  for (const [port, free] of Object.entries(ports)) {
    assert.match(example, new RegExp(`127\\.0\\.0\\.1:${port}\\b`));
    example = example.replaceAll(`127.0.0.1:${port}`, `127.0.0.1:${free}`);
  }
  // Nothing may leave this machine, so that nobody answers for the names of the console.
  const resolvers = example.replace('# resolvers: [10.0.0.2]', 'resolvers: ["127.0.0.1:1"]');
  assert.notEqual(resolvers, example);
  await writeFile(join(folder, 'sekisho.example.yaml'), resolvers);
  for (const name of ['envoy', '.envoy', 'dist']) await symlink(join(project, name), join(folder, name));
});

after(async () => {
  // The Envoy first, so that it can still send what it holds.
  for (const child of running.reverse()) {
    child.kill('SIGTERM');
    if (child.exitCode === null) await new Promise((ended) => child.once('exit', ended));
  }
  await rm(folder, { recursive: true });
});

test('the steps of "Run it", one after the other, give a running Envoy whose requests are on record', async () => {
  const envoy = (await findEnvoy()).path;
  const [check, init, node, bootstrap, serve, run, fleet, records] = steps.map((step) =>
    step.replace('npx sekisho', `${process.execPath} dist/main.js`).replace('.envoy/1.40.0/envoy', envoy),
  );
  for (const step of [check, init, node, bootstrap]) assert.deepEqual(await finished(step), 0, step);

  start(serve);
  await eventually('it is ready', async () => (await ask(`http://${at('18080')}/readyz`)) === 200);
  start(run);
  await eventually('the node is in step', async () => (await finished(fleet)) === 0);

  const pem = await (await fetch(`http://${at('18081')}/ca.pem`)).text();
  assert.match(pem, /BEGIN CERTIFICATE/);
  assert.ok((await (await fetch(`http://${at('18081')}/proxy.pac`)).text()).includes(`PROXY ${at('3128')}`));
  assert.equal(await finished(`curl -s -o /dev/null -x http://${at('3128')} --cacert pki/console-root.crt ${url}`), 0);
  const found = start(`${records ?? ''} -o json`, 'pipe');
  let output = '';
  found.stdout?.on('data', (bytes: Buffer) => (output += bytes.toString()));
  await eventually('the record is there', () => Promise.resolve(output.includes('"url.path":"/console/home"')));
});

function at(port: string): string {
  return `127.0.0.1:${ports[port] ?? 0}`;
}

function environment(): NodeJS.ProcessEnv {
  return { ...process.env, SEKISHO_ADMIN: `http://${at('18080')}` };
}

function start(step = '', stdout: 'ignore' | 'pipe' = 'ignore'): ChildProcess {
  // `exec`, so that what is started is what gets the signal.
  const command = step.replace(/^((?:\w+=\S+ )*)/, '$1exec ');
  const child = spawn('/bin/bash', ['-c', command], {
    cwd: folder,
    env: environment(),
    stdio: ['ignore', stdout, 'ignore'],
  });
  running.push(child);
  return child;
}

function finished(step = ''): Promise<number | null> {
  const child = spawn('/bin/bash', ['-c', step], { cwd: folder, env: environment(), stdio: 'ignore' });
  return new Promise((done) => child.once('exit', done));
}

async function ask(address: string): Promise<number> {
  return fetch(address).then(
    (response) => response.status,
    () => 0,
  );
}
