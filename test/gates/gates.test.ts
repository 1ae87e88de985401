import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';

const project = fileURLToPath(new URL('../..', import.meta.url));
let copy = '';

/** Everything wrong at once, each thing in a file of its own: what a gate says must name that file. */
const faults = {
  'src/base/planted-type.ts': `export const port: number = 'eighty';\n`,
  'src/base/planted-await.ts': `import { writeFile } from 'node:fs/promises';\n\nexport function save(): void {\n  writeFile('a', 'b');\n}\n`,
  'src/base/planted-format.ts': `export const   a = "b"\n`,
  'src/base/planted-dead.ts': `export const nobodyAsksForThis = 1;\n`,
  'src/base/planted-envoy.ts': `import '../wire/planted.ts';\n`,
  'src/base/planted-edge.ts': `import '../edge/planted.ts';\n`,
  'src/base/planted-cycle.ts': `import './planted-cycle-2.ts';\n`,
  'src/base/planted-cycle-2.ts': `import './planted-cycle.ts';\n`,
  'src/base/planted-test.ts': `import '../../test/planted.ts';\n`,
  'src/base/planted-undeclared.ts': `import 'c8';\n`,
  'src/base/planted-nowhere.ts': `import './nowhere.ts';\n`,
  'src/control/planted.ts': ``,
  'src/control/planted-sink.ts': `import '../sink/planted.ts';\n`,
  'src/control/planted-sink-type.ts': `import type { Leaf } from '../sink/planted.ts';\nexport type Mine = Leaf;\n`,
  'src/control/xds/planted-grpc.ts': `import '@grpc/grpc-js';\n`,
  'src/control/xds/planted-policy.ts': `import '../../policy/planted.ts';\n`,
  'src/control/planted-process.ts': `import 'node:child_process';\n`,
  'src/edge/planted.ts': ``,
  'src/edge/planted-fs.ts': `import 'node:fs/promises';\n`,
  'src/edge/planted-winston.ts': `import 'winston';\n`,
  'src/elsewhere/planted.ts': `import '../base/clock.ts';\n`,
  'src/policy/planted.ts': ``,
  'src/policy/planted-protobuf.ts': `import 'protobufjs';\n`,
  'src/policy/planted-protobuf-part.ts': `import 'protobufjs/ext/descriptor.js';\n`,
  'src/policy/planted-edge.ts': `import '../edge/planted.ts';\n`,
  'src/sink/planted.ts': `export type Leaf = string;\n`,
  'src/sink/planted-control.ts': `import '../control/planted.ts';\n`,
  'src/sink/planted-fs.ts': `import 'node:fs';\n`,
  'src/sink/planted-bare-fs.ts': `import 'fs';\n`,
  'src/sink/planted-threads.ts': `import 'node:worker_threads';\n`,
  'src/sink/journal/planted-wire.ts': `import '../../wire/planted.ts';\n`,
  'src/sink/journal/planted-policy.ts': `import '../../policy/planted.ts';\n`,
  'src/wire/planted.ts': ``,
  'src/wire/planted-policy.ts': `import '../policy/planted.ts';\n`,
  'test/planted.ts': ``,
} as const;

before(async () => {
  copy = await mkdtemp(join(tmpdir(), 'sekisho-gates-'));
  const parts = ['src', 'test/gates/imports.json', 'test/run.mjs', 'package.json', 'tsconfig.json', 'eslint.config.js'];
  const dots = ['.dependency-cruiser.cjs', '.prettierrc.json', '.prettierignore', '.c8rc.json', 'knip.json'];
  for (const part of [...parts, ...dots]) await cp(join(project, part), join(copy, part), { recursive: true });
  await mkdir(join(copy, 'bench'));
  await symlink(join(project, 'node_modules'), join(copy, 'node_modules'));
  for (const [file, text] of Object.entries(faults)) {
    await mkdir(dirname(join(copy, file)), { recursive: true });
    await writeFile(join(copy, file), text);
  }
});

after(() => rm(copy, { recursive: true, force: true }));

test('the type gate finds a type error', async () => {
  const { code, output } = await gate('types');
  assert.notEqual(code, 0);
  assert.match(output, /^src\/base\/planted-type\.ts\(1,14\): error TS2322/m);
});

test('the format gate finds a file that prettier would write otherwise', async () => {
  const { code, output } = await gate('format');
  assert.notEqual(code, 0);
  assert.match(output, /src\/base\/planted-format\.ts/);
});

test('the lint gate finds a promise of the disk that nobody waits for', async () => {
  const { code, stdout } = await gate('lint', ['--format', 'json', 'src/base/planted-await.ts']);
  assert.notEqual(code, 0);
  assert.deepEqual(
    (JSON.parse(stdout) as { filePath: string; messages: { ruleId: string; severity: number }[] }[])
      .filter((file) => file.filePath.endsWith('planted-await.ts'))
      .flatMap((file) => file.messages.map((message) => [message.ruleId, message.severity])),
    [['@typescript-eslint/no-floating-promises', 2]],
  );
});

test('the dead code gate finds an export that nobody imports, and a file', async () => {
  await writeFile(join(copy, 'src/base/planted-used.ts'), `export const used = 1;\nexport const unused = 2;\n`);
  await writeFile(
    join(copy, 'src/base/errors.ts'),
    `\nimport { used } from './planted-used.ts';\nexport const also = used;\n`,
    { flag: 'a' },
  );
  const { code, stdout } = await gate('dead', ['--reporter', 'json']);
  assert.notEqual(code, 0);
  const report = JSON.parse(stdout) as { files: string[]; issues: { file: string; exports: { name: string }[] }[] };
  assert.ok(report.files.includes('src/base/planted-dead.ts'), 'the file');
  const found = report.issues.find((issue) => issue.file === 'src/base/planted-used.ts');
  assert.deepEqual(
    found?.exports.map((one) => one.name),
    ['unused'],
    'the export',
  );
});

interface Cruise {
  summary: { totalCruised: number; violations: { from: string; rule: { name: string; severity: string } }[] };
}
let cruised: Promise<Cruise> | undefined;

/** As JSON, once for all tests. The JSON reporter always ends with 0; the gate itself has a test of its own. */
function cruise(): Promise<Cruise> {
  cruised ??= gate('imports', ['--output-type', 'json']).then(({ stdout }) => JSON.parse(stdout) as Cruise);
  return cruised;
}

const forbidden: [what: string, file: keyof typeof faults, rule: string][] = [
  ['control importing sink', 'src/control/planted-sink.ts', 'folder:control'],
  ['control importing a type of sink', 'src/control/planted-sink-type.ts', 'folder:control'],
  ['sink importing control', 'src/sink/planted-control.ts', 'folder:sink'],
  ['the journal knowing Envoy', 'src/sink/journal/planted-wire.ts', 'folder:sink/journal'],
  ['the journal knowing the policy', 'src/sink/journal/planted-policy.ts', 'folder:sink/journal'],
  ['base knowing Envoy', 'src/base/planted-envoy.ts', 'folder:base'],
  ['wire importing policy', 'src/wire/planted-policy.ts', 'folder:wire'],
  ['xds knowing gRPC', 'src/control/xds/planted-grpc.ts', 'module:@grpc/grpc-js'],
  ['xds knowing the policy', 'src/control/xds/planted-policy.ts', 'folder:control/xds'],
  ['policy knowing protobufjs', 'src/policy/planted-protobuf.ts', 'module:protobufjs'],
  ['policy knowing a part of protobufjs', 'src/policy/planted-protobuf-part.ts', 'module:protobufjs'],
  ['sink touching the disk', 'src/sink/planted-fs.ts', 'module:node:fs'],
  ['sink touching the disk by the bare name', 'src/sink/planted-bare-fs.ts', 'module:node:fs'],
  ['edge touching the disk', 'src/edge/planted-fs.ts', 'module:node:fs'],
  ['edge writing logs past base', 'src/edge/planted-winston.ts', 'module:winston'],
  ['control starting processes', 'src/control/planted-process.ts', 'module:node:child_process'],
  ['sink starting threads', 'src/sink/planted-threads.ts', 'module:node:worker_threads'],
  ['base importing edge', 'src/base/planted-edge.ts', 'folder:base'],
  ['policy importing edge', 'src/policy/planted-edge.ts', 'folder:policy'],
  ['src importing test', 'src/base/planted-test.ts', 'src-knows-no-test'],
  ['src importing a devDependency', 'src/base/planted-undeclared.ts', 'not-declared'],
  ['an import that leads nowhere', 'src/base/planted-nowhere.ts', 'not-found'],
  ['a folder without a row in the table', 'src/elsewhere/planted.ts', 'folder:unknown'],
  ['a circle', 'src/base/planted-cycle-2.ts', 'no-cycle'],
];
for (const [what, file, rule] of forbidden) {
  test(`the import gate finds ${what}`, async () => {
    const found = (await cruise()).summary.violations.filter(
      (one) => one.from === file && one.rule.severity === 'error',
    );
    assert.ok(
      found.some((one) => one.rule.name === rule),
      `${file}: ${found.map((one) => one.rule.name).join(', ') || 'nothing'}`,
    );
  });
}

test('the import gate looks at the modules and not at nothing, and is red', async () => {
  const { code, output } = await gate('imports');
  assert.notEqual(code, 0);
  assert.match(output, /error module:node:fs: src\/sink\/planted-fs\.ts/);
  const modules = (await cruise()).summary.totalCruised;
  assert.ok(modules > 20 + Object.keys(faults).length, `${modules} modules`);
});

test('every gate of package.json is run by npm test', async () => {
  const manifest = JSON.parse(await readFile(join(project, 'package.json'), 'utf8')) as {
    scripts: Record<string, string>;
  };
  assert.equal(manifest.scripts['test'], 'node test/run.mjs');
  assert.equal(manifest.scripts['check'], 'npm test');
  const runner = await readFile(join(project, 'test/run.mjs'), 'utf8');
  for (const name of ['types', 'format', 'lint', 'imports', 'dead']) {
    assert.ok(name in manifest.scripts, name);
    assert.match(runner, new RegExp(`all: \\[.*'${name}'`));
  }
  assert.match(manifest.scripts['lint'] ?? '', /--max-warnings 0/);
});

interface GateResult {
  code: number | null;
  stdout: string;
  /** Both streams. */
  output: string;
}

async function gate(name: string, more: readonly string[] = []): Promise<GateResult> {
  const child = spawn('npm', ['run', '-s', name, ...(more.length === 0 ? [] : ['--', ...more])], { cwd: copy });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (bytes: Buffer) => (stdout += bytes.toString()));
  child.stderr.on('data', (bytes: Buffer) => (stderr += bytes.toString()));
  const code = await new Promise<number | null>((done) => child.once('close', done));
  return { code, stdout, output: stdout + stderr };
}
