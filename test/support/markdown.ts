/** What tests need of a Markdown page: headings, tables and fenced blocks, in the plain form that the pages of this project use. */

/** Titles of the headings of one level, with the text below each up to the next heading of that level or above. */
export function sections(markdown: string, level: number): Map<string, string> {
  const found = new Map<string, string>();
  let title: string | undefined;
  let fenced = false;
  for (const line of markdown.split('\n')) {
    if (line.startsWith('```')) fenced = !fenced;
    const heading = fenced ? null : /^(#+) +(.*)$/.exec(line);
    if (heading?.[1] !== undefined && heading[1].length <= level) {
      title = heading[1].length === level ? heading[2] : undefined;
      if (title !== undefined) found.set(title, '');
    } else if (title !== undefined) {
      found.set(title, `${found.get(title) ?? ''}${line}\n`);
    }
  }
  return found;
}

/** The rows of the table whose header cells are these; throws when there is no such table, so that a renamed one is not an empty one. */
export function table(markdown: string, ...header: string[]): string[][] {
  const lines = markdown.split('\n');
  const start = lines.findIndex((line) => cells(line).join('|') === header.join('|'));
  if (start === -1) throw new Error(`no table with the header ${header.join(' | ')}`);
  const rows: string[][] = [];
  for (const line of lines.slice(start + 2)) {
    if (!line.startsWith('|')) break;
    rows.push(cells(line));
  }
  return rows;
}

/** The names in backquotes in one cell. */
export function codes(cell: string): string[] {
  return [...cell.matchAll(/`([^`]+)`/g)].map((match) => match[1] ?? '');
}

/** The lines of all fenced blocks of one language, without empty ones and comments. */
export function fencedLines(markdown: string, language: string): string[] {
  return [...markdown.matchAll(/^```(\w+)\n([^]*?)^```/gm)]
    .filter((match) => match[1] === language)
    .flatMap((match) => (match[2] ?? '').split('\n'))
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'));
}

function cells(line: string): string[] {
  if (!line.startsWith('|')) return [];
  return line
    .slice(1, line.lastIndexOf('|'))
    .split('|')
    .map((cell) => cell.trim());
}
