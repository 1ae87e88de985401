import { readFile, writeFile } from 'node:fs/promises';
import assert from 'node:assert/strict';
import prettier from 'prettier';

/**
 * Compares a file of the project with what is made from the code, formatted as the project is. UPDATE_GOLDEN=1 writes it.
 */
export async function assertGenerated(file: string, make: (now: string) => string): Promise<void> {
  const now = await readFile(file, 'utf8');
  const options = (await prettier.resolveConfig(file)) ?? {};
  const wanted = await prettier.format(make(now), { ...options, filepath: file });
  if (process.env['UPDATE_GOLDEN'] === '1' && wanted !== now) await writeFile(file, wanted);
  else assert.equal(now, wanted, `${file} is not what the code makes: run UPDATE_GOLDEN=1 npm test and read the diff`);
}

/** The text with what stands between `<!-- NAME: begin -->` and `<!-- NAME: end -->` replaced. */
export function between(text: string, name: string, content: string): string {
  const [begin, end] = [`<!-- ${name}: begin -->`, `<!-- ${name}: end -->`];
  const [from, to] = [text.indexOf(begin), text.indexOf(end)];
  assert.ok(from >= 0 && to > from, `the text has no ${begin} … ${end}`);
  return `${text.slice(0, from + begin.length)}\n\n${content}\n\n${text.slice(to)}`;
}

export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = [head, head.map(() => '---'), ...rows];
  return lines.map((row) => `| ${row.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`).join('\n');
}
