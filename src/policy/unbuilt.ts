import { isLoopback, parseSocket } from './socket-address.ts';
import type { Finding, Path } from './problem.ts';
import { isMap } from '../base/json-value.ts';
import { valueAt } from './readable.ts';

/**
 * What the design has and this version has not. Each is refused where it is written, with what there is instead, so
 * that no policy is ever weaker than it reads. Whoever builds one of them deletes its line.
 */
const unbuilt: readonly Unbuilt[] = [
  { path: ['record', 'retention'], instead: 'remove it; records are kept until you delete them' },
  { path: ['aws'], instead: 'remove it; write the AWS policies by hand' },
  { path: ['access'], instead: 'remove it, and keep server.admin on loopback' },
  { path: ['server', 'access'], instead: 'remove it, and keep server.admin on loopback' },
  {
    path: ['server', 'admin'],
    when: offLoopback,
    what: 'an admin address off loopback (it needs access:)',
    instead: 'write 127.0.0.1:18080',
  },
];

interface Unbuilt {
  /** `*` stands for each item of a list. */
  readonly path: readonly string[];
  /** Which values are not built; absent: any. */
  readonly when?: (value: unknown) => boolean;
  /** What is not built; by default the key with its value. */
  readonly what?: string;
  readonly instead: string;
}

/** The places of a policy that ask for what is not built. */
export function unbuiltFindings(root: unknown): Finding[] {
  if (!isMap(root)) return [];
  return unbuilt.flatMap((entry) =>
    placesOf(root, entry.path)
      .filter((path) => applies(entry, valueAt(root, path)))
      .map((path): Finding => {
        const what = entry.what ?? `"${String(path.at(-1))}:"`;
        const at = entry.when === undefined ? 'key' : 'value';
        return { path, at, code: 'not-built', message: `${what} is not built yet`, remedy: entry.instead };
      }),
  );
}

function applies(entry: Unbuilt, value: unknown): boolean {
  return entry.when === undefined ? value !== undefined : entry.when(value);
}

function placesOf(root: unknown, path: readonly string[]): Path[] {
  const star = path.indexOf('*');
  if (star < 0) return [path];
  const list = valueAt(root, path.slice(0, star));
  if (!Array.isArray(list)) return [];
  return list.map((_, index) => [...path.slice(0, star), index, ...path.slice(star + 1)]);
}

function offLoopback(value: unknown): boolean {
  if (typeof value !== 'string') return false;
  const address = parseSocket(value);
  return !('refused' in address) && !isLoopback(address);
}
