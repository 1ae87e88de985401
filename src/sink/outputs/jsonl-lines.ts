import type { DiskFile } from '../../base/disk.ts';

/** What the cursor knows of a file of lines: the index of its first line, and how many of its bytes are safe. */
export interface KnownFile {
  readonly first: number;
  readonly bytes: number;
}

export interface KeptLines {
  /** undefined: the file holds no line. */
  readonly first: number | undefined;
  readonly bytes: number;
  /** The index behind its last line. */
  readonly next: number;
  /** Whether its lines are others than those that were to come: somebody else's, or of another cursor. */
  readonly foreign: boolean;
}

/**
 * Puts a file in order after whatever ended the last process: behind what is known to be safe, whole lines stay and are made safe, and what
 * comes behind them, a line that was being written, is cut off.
 */
export async function keepWholeLines(
  file: DiskFile,
  cursor: { readonly next: number; readonly known: KnownFile | undefined },
): Promise<KeptLines> {
  const known = cursor.known && (await isKnown(file, cursor.known)) ? cursor.known : undefined;
  let { first, bytes, next }: { first: number | undefined; bytes: number; next: number } = {
    first: known?.first,
    bytes: known?.bytes ?? 0,
    next: cursor.next,
  };
  let foreign = false;
  for await (const line of linesFrom(file, bytes)) {
    const read = readLine(line.text);
    if (read === undefined) break;
    foreign ||= read.index !== next;
    first ??= read.index;
    next = read.index + read.records;
    bytes = line.end;
  }
  await makeSafe(file, known?.bytes ?? 0, bytes);
  return { first, bytes, next: foreign ? cursor.next : next, foreign };
}

/** It may be another file under the same name: rotated just before the crash, or put there by somebody. */
async function isKnown(file: DiskFile, known: KnownFile): Promise<boolean> {
  if ((await file.size()) < known.bytes) return false;
  for await (const line of linesFrom(file, 0)) return readLine(line.text)?.index === known.first;
  return false;
}

/**
 * Written once more, the same bytes to the same place: a kernel that failed to write them may hold them as clean, and a sync alone would then
 * say yes to bytes that are not there (docs/journal-format.md, recovery).
 */
async function makeSafe(file: DiskFile, from: number, to: number): Promise<void> {
  const piece = Buffer.allocUnsafe(Math.min(pieceBytes, to - from));
  for (let at = from; at < to; at += piece.length) {
    const bytes = piece.subarray(0, await file.read(piece.subarray(0, to - at), at));
    await file.write(bytes, at);
  }
  await file.truncate(to);
  await file.datasync();
}

async function* linesFrom(file: DiskFile, from: number): AsyncGenerator<{ text: string; end: number }, void> {
  let rest: Buffer = Buffer.alloc(0);
  for (let at = from; ;) {
    const piece = Buffer.allocUnsafe(pieceBytes);
    const read = await file.read(piece, at + rest.length);
    if (read === 0) return;
    rest = Buffer.concat([rest, piece.subarray(0, read)]);
    let start = 0;
    for (let end = rest.indexOf(lineEnd); end !== -1; end = rest.indexOf(lineEnd, start)) {
      yield { text: rest.toString('utf8', start, end), end: at + end + 1 };
      start = end + 1;
    }
    rest = rest.subarray(start);
    at += start;
  }
}

const pieceBytes = 256 * 1024;
const lineEnd = 0x0a;

/** undefined: these bytes are no line of ours. A torn sector leaves zeros, which JSON does not know. */
function readLine(text: string): { index: number; records: number } | undefined {
  try {
    const line = JSON.parse(text) as { 'sekisho.index'?: unknown; error?: { lost?: unknown } } | null;
    const index = line?.['sekisho.index'];
    const lost = line?.error?.lost;
    if (typeof index !== 'number') return undefined;
    return { index, records: typeof lost === 'number' ? lost : 1 };
  } catch {
    return undefined;
  }
}
