import { execFileSync } from 'node:child_process';
import { cpus, release } from 'node:os';

/** What a figure was measured on: without it a figure says nothing. */
export function machine(root: string): Readonly<Record<string, string | number>> {
  const git = (...args: string[]): string => execFileSync('git', args, { cwd: root, encoding: 'utf8' }).trim();
  const dirty = git('status', '--porcelain', '--', 'src', 'proto') === '' ? '' : ' with changes';
  return {
    commit: `${git('rev-parse', '--short', 'HEAD')}${dirty}`,
    date: new Date().toISOString().slice(0, 10),
    node: process.version,
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: cpus().length,
    kernel: release(),
  };
}
