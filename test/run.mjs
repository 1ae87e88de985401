// Every gate, then every test, then node's own summary as the last lines. Exit 0 only if all of it is good.
//   node test/run.mjs          all of it (npm test, npm run check)
//   node test/run.mjs --fast   the inner loop: types, lint and import rules, then the tests that start no other program
// It works on the project in the current folder, with nothing but node.
import { spawn } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join, sep } from 'node:path';

/** Names of scripts in package.json, cheapest first. */
const GATES = { all: ['format', 'types', 'imports', 'dead', 'lint'], fast: ['types', 'imports', 'lint'] };
/** Folders of test/ whose tests start browsers, Envoys, or the gates themselves. */
const SLOW = ['browser', 'conformance', 'deploy', 'e2e', 'fault', 'gates'];
/** Test files at a time: more would make the tests with an Envoy in them fight for processors. */
const CONCURRENCY = 2;
/** Milliseconds after which a test that hangs is a test that fails. */
const TEST_TIMEOUT = 300_000;

const COVERAGE = 'coverage';
const SUMMARY = join(COVERAGE, 'summary.tap');

const fast = process.argv.includes('--fast');
const ci = process.env.CI === 'true';
process.exitCode = await run();

async function run() {
  if (!(await gatesAreGreen(fast ? GATES.fast : GATES.all)))
    return fail('the tests were not run: mend the gates first');
  const files = testFiles('test').filter((file) => !fast || !SLOW.includes(file.split(sep)[1] ?? ''));
  if (files.length === 0) return fail('no test file was found under test/');
  const built = await capture('npm', ['run', '-s', 'build']);
  if (built.code !== 0) return fail(`npm run build failed\n${built.output}`);

  rmSync(COVERAGE, { recursive: true, force: true });
  mkdirSync(COVERAGE, { recursive: true });
  const tests = await runTests(files);
  const covered = fast || (await coverageIsEnough());
  return verdict(tests, covered);
}

/** Two at a time; each gate's output is shown whole, and only if it is red. */
async function gatesAreGreen(gates) {
  const queue = [...gates];
  let green = true;
  const worker = async () => {
    for (let gate = queue.shift(); gate !== undefined; gate = queue.shift()) {
      const started = Date.now();
      const { code, output } = await capture('npm', ['run', '-s', gate]);
      print(`${code === 0 ? '✔' : '✖'} ${gate} (${((Date.now() - started) / 1000).toFixed(1)} s)`);
      if (code !== 0) print(output);
      green &&= code === 0;
    }
  };
  await Promise.all([worker(), worker()]);
  return green;
}

function testFiles(folder) {
  return readdirSync(folder, { withFileTypes: true })
    .flatMap((entry) => {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) return testFiles(path);
      return entry.name.endsWith('.test.ts') ? [path] : [];
    })
    .sort();
}

/** The readable report goes to the terminal; the same results as TAP go to a file, whose last lines are the summary. */
async function runTests(files) {
  const reporters = [
    ...['--test-reporter=spec', '--test-reporter-destination=stdout'],
    ...['--test-reporter=tap', `--test-reporter-destination=${SUMMARY}`],
  ];
  const limits = [`--test-concurrency=${CONCURRENCY}`, `--test-timeout=${TEST_TIMEOUT}`];
  const env = { ...process.env };
  // A test runner that finds itself inside another one would report to that one and count nothing here.
  delete env.NODE_TEST_CONTEXT;
  delete env.NODE_V8_COVERAGE;
  if (!fast) env.NODE_V8_COVERAGE = join(process.cwd(), COVERAGE, 'v8');
  return wait(
    spawn(process.execPath, ['--import', 'tsx', '--test', ...limits, ...reporters, ...files], {
      stdio: 'inherit',
      env,
    }),
  );
}

async function coverageIsEnough() {
  const { code, output } = await capture(join('node_modules', '.bin', 'c8'), ['report']);
  print(output);
  return code === 0;
}

/** Says what is wrong first, so that the summary stays the last thing to be read. */
function verdict(code, covered) {
  const summary = readFileSync(SUMMARY, 'utf8')
    .split('\n')
    .filter((line) => /^# [a-z_]+ [\d.]+$/.test(line))
    .slice(-8);
  const count = (name) => Number(summary.find((line) => line.startsWith(`# ${name} `))?.split(' ')[2] ?? Number.NaN);
  const complaints = [];
  if (code !== 0) complaints.push('a test failed');
  if (!(count('pass') > 0)) complaints.push('no test passed');
  if (ci && count('skipped') + count('todo') !== 0)
    complaints.push('a test was skipped: nothing may be skipped where CI=true');
  if (!covered) complaints.push(`coverage is below the thresholds of .c8rc.json`);
  for (const complaint of complaints) print(`✖ ${complaint}`);
  print(summary.join('\n'));
  return complaints.length === 0 ? 0 : 1;
}

function fail(message) {
  print(`✖ ${message}`);
  return 1;
}

async function capture(command, args) {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  const chunks = [];
  child.stdout.on('data', (chunk) => chunks.push(chunk));
  child.stderr.on('data', (chunk) => chunks.push(chunk));
  const code = await wait(child);
  return { code, output: Buffer.concat(chunks).toString().trimEnd() };
}

function wait(child) {
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve(code ?? 1));
  });
}

/** Written at once where the other end is a file or a pipe, so that it stands in order with what child processes write. */
function print(text) {
  process.stdout.write(`${text}\n`);
}
