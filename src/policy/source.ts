import { isAlias, isMap, isScalar, isSeq, parseAllDocuments, parseDocument, visit } from 'yaml';
import type { Document, Node, Pair, YAMLError } from 'yaml';
import { limits } from './limits.ts';
import type { Path } from './problem.ts';

/** A stretch of the text. Line and column of its start from 1; offsets from 0, the end behind it. */
export interface Place {
  readonly line: number;
  readonly column: number;
  readonly offset: number;
  readonly end: number;
}

export interface SyntaxProblem {
  readonly place: Place;
  readonly message: string;
  readonly remedy: string;
}

/** A text as plain values, with the way back from a value to its place. */
export interface Source {
  /** Plain objects, arrays and scalars; undefined where nothing could be read. */
  readonly value: unknown;
  readonly problems: readonly SyntaxProblem[];
  /** Offset from which the structure is a guess of the parser; infinite for sound YAML. */
  readonly soundUntil: number;
  /** Where the key or the value at a path stands; for what is absent, where the nearest thing around it stands. */
  place(path: Path, at: 'key' | 'value'): Place;
}

/** Reads YAML 1.2. Never throws; what is wrong with the text is in `problems`. */
export function readSource(text: string): Source {
  return sourceOf(parseDocument(text, parserOptions), placesIn(text));
}

/** As `readSource`, for a text that may hold several documents. None for a text that holds nothing. */
export function readSources(text: string): Source[] {
  const placeAt = placesIn(text);
  return [...parseAllDocuments(text, parserOptions)].map((document) => sourceOf(document, placeAt));
}

const parserOptions = { prettyErrors: false, stringKeys: true, logLevel: 'error' } as const;

function sourceOf(document: Document.Parsed, placeAt: (span: Span) => Place): Source {
  const problems = [...document.errors, ...document.warnings].slice(0, limits.parserErrors).map((error) => ({
    place: placeAt(error.pos),
    ...explain(error),
  }));
  const structural = document.errors.filter((error) => !harmless.has(error.code)).map((error) => error.pos[0]);
  // Lists and maps as keys cost the parser the fourth power of their depth to write out.
  const unreadable = document.errors.some(({ code }) => code === 'NON_STRING_KEY' || code === 'RESOURCE_EXHAUSTION');
  const bad = unreadable ? undefined : badAlias(document);
  if (bad !== undefined) problems.push({ ...bad, place: placeAt([bad.offset, bad.offset]) });

  return {
    value: bad === undefined && !unreadable ? document.toJS({ maxAliasCount: -1 }) : undefined,
    problems: distinct(problems),
    soundUntil: structural.reduce((first, offset) => Math.min(first, offset), Infinity),
    place: (path, at) => placeAt(spanOf(document, path, at)),
  };
}

/** Errors after which the rest of the tree still is what the author wrote. */
const harmless = new Set<YAMLError['code']>(['DUPLICATE_KEY', 'MULTIPLE_DOCS', 'BAD_DIRECTIVE', 'TAG_RESOLVE_FAILED']);

function explain(error: YAMLError): { message: string; remedy: string } {
  return (
    explanations[error.code] ?? {
      message: error.message,
      remedy: 'correct the YAML here; values that hold : # [ { or * need quotes',
    }
  );
}

const tooDeep = {
  message: 'the brackets are nested too deep',
  remedy: 'nest less; a policy needs no more than eight levels',
};

/** Where the parser's own words would not help the author of a policy. */
const explanations: Partial<Record<YAMLError['code'], { message: string; remedy: string }>> = {
  DUPLICATE_KEY: { message: 'this key stands here a second time', remedy: 'keep one of them' },
  MULTIPLE_DOCS: { message: 'a second YAML document begins here', remedy: 'keep one document per file' },
  TAG_RESOLVE_FAILED: { message: 'this tag is not known', remedy: 'remove it; no tags are read' },
  NON_STRING_KEY: { message: 'this key is no text', remedy: 'write a plain word before the colon' },
  TAB_AS_INDENT: { message: 'a tab stands in the indentation', remedy: 'indent with spaces' },
  RESOURCE_EXHAUSTION: tooDeep,
};

/** The first alias that is unknown, or that makes the file unfold to more than we are willing to hold. */
function badAlias(document: Document): { offset: number; message: string; remedy: string } | undefined {
  let found: { offset: number; message: string; remedy: string } | undefined;
  let count = 0;
  visit(document, {
    Alias: (_, alias, ancestors) => {
      const offset = alias.range?.[0] ?? 0;
      const target = alias.resolve(document);
      count += 1;
      if (target === undefined) {
        found = { offset, message: `no anchor &${alias.source} stands before *${alias.source}`, remedy: 'add it' };
      } else if (ancestors.includes(target) || hasAlias(target)) {
        found = { offset, message: `*${alias.source} holds further aliases`, remedy: 'write the value out' };
      } else if (count > limits.aliases) {
        found = { offset, message: `more than ${limits.aliases} aliases`, remedy: 'write the values out' };
      }
      return found === undefined ? undefined : visit.BREAK;
    },
  });
  return found;
}

function hasAlias(node: Node): boolean {
  let found = false;
  visit(node, {
    Alias: () => {
      found = true;
      return visit.BREAK;
    },
  });
  return found;
}

/** One per line, for the parser says most things several times; and nothing else where brackets are too deep for it. */
function distinct(problems: readonly SyntaxProblem[]): SyntaxProblem[] {
  const inOrder = [...problems].sort((a, b) => a.place.offset - b.place.offset);
  const deep = inOrder.find(({ message }) => message === tooDeep.message);
  if (deep !== undefined) return [deep];
  return inOrder
    .filter(({ place }, index) => place.line !== inOrder[index - 1]?.place.line)
    .slice(0, limits.syntaxProblems);
}

type Span = readonly [start: number, end: number];

/** Our own count of lines: the parser's loses its order in texts that do not parse. */
function placesIn(text: string): (span: Span) => Place {
  const starts = [0, ...Array.from(text.matchAll(/\n/g), ({ index }) => index + 1)];
  return ([from, to]) => {
    const offset = Math.min(from, text.length);
    const above = starts.findLastIndex((start) => start <= offset);
    return { line: above + 1, column: offset - (starts[above] ?? 0) + 1, offset, end: to };
  };
}

function spanOf(document: Document, path: Path, at: 'key' | 'value'): Span {
  let span = ownSpan(document.contents) ?? [0, 0];
  let node: unknown = document.contents;
  for (const [index, part] of path.entries()) {
    if (isAlias(node)) node = node.resolve(document);
    const last = index === path.length - 1;
    if (isMap(node)) {
      const pair: Pair | undefined = node.items.find((item) => keyText(item.key) === String(part));
      // What is absent is shown at the key of what lacks it, which is the last one that we passed.
      if (pair === undefined) return span;
      const key = ownSpan(pair.key) ?? span;
      span = last && at === 'value' ? (ownSpan(pair.value) ?? key) : key;
      node = pair.value;
    } else if (isSeq(node)) {
      node = node.items[Number(part)];
      span = ownSpan(node) ?? span;
    } else {
      return span;
    }
  }
  return span;
}

function keyText(key: unknown): string | undefined {
  return isScalar(key) ? String(key.value) : undefined;
}

function ownSpan(node: unknown): Span | undefined {
  if (!isScalar(node) && !isMap(node) && !isSeq(node) && !isAlias(node)) return undefined;
  return node.range ? [node.range[0], node.range[1]] : undefined;
}
