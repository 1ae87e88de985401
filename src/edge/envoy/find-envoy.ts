import { delimiter, join } from 'node:path';
import { realDisk, type Disk } from '../../base/disk.ts';
import { SekishoError } from '../../base/errors.ts';
import { isNewEnough, oldestVersion, versionIn } from './envoy-version.ts';
import { envoyFolder, installedPath, installEnvoy } from './install-envoy.ts';
import { runProgram } from './run-program.ts';

export interface EnvoyBinary {
  readonly path: string;
  /** As in `1.40.0`. */
  readonly version: string;
}

export interface FindEnvoyOptions {
  /** Read for SEKISHO_ENVOY and PATH; the process's own unless told. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly disk?: Disk;
  /** Where installed Envoys lie: `.envoy` of the project unless told. */
  readonly folder?: string;
  /** Told what takes its time, one line at a time; standard error unless told. */
  readonly progress?: (line: string) => void;
}

/**
 * An Envoy that is new enough, installed into the project's own folder if there is none at hand. Throws `envoy_missing`, which
 * names what is lacking and what to do.
 */
export async function findEnvoy(options: FindEnvoyOptions = {}): Promise<EnvoyBinary> {
  const found = await envoyAtHand(options);
  if (found !== undefined) return found;
  const path = await installEnvoy(options);
  const version = await versionOf(path);
  if (version !== undefined) return { path, version };
  throw new SekishoError(
    'envoy_missing',
    `${path} was installed but does not run here; name an Envoy ${oldestVersion} or newer in SEKISHO_ENVOY`,
    { facts: { file: path } },
  );
}

/**
 * As `findEnvoy`, but it installs nothing: undefined when no Envoy is at hand. In this order: SEKISHO_ENVOY, `envoy` on the PATH if
 * it is new enough, the project's own. Throws `envoy_missing` when SEKISHO_ENVOY names something else than a new enough Envoy:
 * whoever sets it wants that one.
 */
export async function envoyAtHand(options: FindEnvoyOptions = {}): Promise<EnvoyBinary | undefined> {
  const { env = process.env, disk = realDisk, folder = envoyFolder } = options;
  const named = env['SEKISHO_ENVOY'];
  if (named !== undefined && named !== '') return namedEnvoy(named);
  for (const path of [...pathCandidates(env['PATH'] ?? ''), installedPath(folder)]) {
    if ((await disk.stat(path).catch(() => undefined))?.kind !== 'file') continue;
    const version = await versionOf(path);
    if (version !== undefined && isNewEnough(version)) return { path, version };
  }
  return undefined;
}

async function namedEnvoy(path: string): Promise<EnvoyBinary> {
  const version = await versionOf(path);
  if (version !== undefined && isNewEnough(version)) return { path, version };
  const what = version === undefined ? 'does not run as an Envoy' : `is Envoy ${version}`;
  throw new SekishoError(
    'envoy_missing',
    `SEKISHO_ENVOY names ${path}, which ${what}: name an Envoy ${oldestVersion} or newer, or unset it`,
    { facts: { file: path, version } },
  );
}

function pathCandidates(searchPath: string): string[] {
  return searchPath
    .split(delimiter)
    .filter((folder) => folder !== '')
    .map((folder) => join(folder, 'envoy'));
}

/** What a program says it is; undefined when it cannot be started or is no Envoy. */
async function versionOf(path: string): Promise<string | undefined> {
  try {
    const { code, output } = await runProgram(path, ['--version'], 10_000);
    return code === 0 ? versionIn(output) : undefined;
  } catch {
    return undefined;
  }
}
