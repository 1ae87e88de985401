import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';

/** docker-compose.yml as docker-compose itself reads it: merged, with paths made absolute. What the tests look at, and no more. */
export interface Compose {
  readonly services: Readonly<Record<string, ComposeService>>;
  readonly secrets: Readonly<Record<string, { readonly file: string }>>;
  readonly networks: Readonly<Record<string, { readonly internal?: boolean }>>;
}

export interface ComposeService {
  readonly build: { readonly context: string; readonly dockerfile?: string };
  readonly cap_add?: readonly string[];
  readonly cap_drop?: readonly string[];
  readonly command: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly healthcheck?: { readonly test: readonly string[] };
  readonly image: string;
  readonly networks: Readonly<Record<string, unknown>>;
  readonly network_mode?: string;
  readonly ports: readonly string[];
  readonly privileged?: boolean;
  readonly read_only?: boolean;
  readonly secrets: readonly { readonly source: string; readonly target: string }[];
  readonly security_opt?: readonly string[];
  readonly stop_grace_period?: string;
  readonly tmpfs?: readonly string[];
  readonly user?: string;
  readonly volumes: readonly ComposeVolume[];
}

interface ComposeVolume {
  readonly type: 'bind' | 'volume';
  readonly source: string;
  readonly target: string;
  readonly read_only?: boolean;
}

export const project = fileURLToPath(new URL('../..', import.meta.url));

/** undefined where docker-compose is not installed. Throws what it says about a file that it refuses. */
export function readCompose(env: Readonly<Record<string, string>> = {}): Compose | undefined {
  const found = (process.env['PATH'] ?? '').split(':').some((folder) => existsSync(join(folder, 'docker-compose')));
  if (!found) return undefined;
  const options = { cwd: project, env: { ...process.env, ...env }, encoding: 'utf8' } as const;
  return parse(execFileSync('docker-compose', ['config'], options)) as Compose;
}

/** A service as a process of this machine: its command, its environment and the files it is given, under a folder instead of /. */
export interface LocalProcess {
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  /** A path inside the container as a path here. */
  at(path: string): string;
}

/**
 * Lays out what a service is given below `root` (secrets, bind mounts, volumes, tmpfs) and says how to start it. A file named in `given`
 * stands for one of the host's (`pki/…`, `policy`), by its path relative to the project.
 */
export function localProcess(
  compose: Compose,
  name: string,
  root: string,
  given: (path: string) => string,
): LocalProcess {
  const service = compose.services[name];
  if (service === undefined) throw new Error(`no service ${name}`);
  const host = (path: string) => given(path.startsWith(project) ? path.slice(project.length) : path);
  const places = new Map<string, string>();
  const place = (target: string): string => {
    const here = join(root, name, target);
    places.set(target, here);
    mkdirSync(dirname(here), { recursive: true });
    return here;
  };
  place('/run/secrets');
  for (const { source, target } of service.secrets) {
    const file = compose.secrets[source]?.file;
    if (file === undefined) throw new Error(`${name}: no secret ${source}`);
    cpSync(host(file), place(`/run/secrets/${target}`));
  }
  for (const volume of service.volumes) {
    if (volume.type === 'bind') cpSync(host(volume.source), place(volume.target), { recursive: true });
    else mkdirSync(place(volume.target));
  }
  for (const tmpfs of service.tmpfs ?? []) mkdirSync(place(tmpfs.split(':')[0] ?? ''), { recursive: true });

  const at = (text: string): string => {
    const longest = [...places.keys()]
      .filter((one) => text === one || text.startsWith(`${one}/`))
      .sort((a, b) => b.length - a.length)[0];
    if (longest !== undefined) return `${places.get(longest) ?? ''}${text.slice(longest.length)}`;
    return text.startsWith('/opt/sekisho/') ? join(project, 'envoy', text.slice('/opt/sekisho/'.length)) : text;
  };
  const image = imageEnvironment(service);
  const own = Object.entries({ ...image, ...service.environment }).map(([key, value]) => [key, at(value)] as const);
  const env: Record<string, string> = { TMPDIR: at('/tmp'), ...Object.fromEntries(own) };
  const [command = '', ...args] = service.command.map(at);
  return { command, args, cwd: project, env, at };
}

/** The lines of a Dockerfile, continued ones joined, comments left out. */
export function dockerfileLines(service: ComposeService): string[] {
  const file = join(service.build.context, service.build.dockerfile ?? 'Dockerfile');
  const text = readFileSync(file, 'utf8').replace(/\\\n/g, ' ');
  return text.split('\n').filter((line) => line.trim() !== '' && !line.startsWith('#'));
}

/** What ENV sets in the last stage. */
function imageEnvironment(service: ComposeService): Record<string, string> {
  const lines = dockerfileLines(service);
  const last = lines.slice(lines.findLastIndex((line) => line.startsWith('FROM ')));
  return Object.fromEntries(
    last
      .filter((line) => line.startsWith('ENV '))
      .flatMap((line) => line.slice('ENV '.length).trim().split(/\s+/))
      .map((pair): [string, string] => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)]),
  );
}
