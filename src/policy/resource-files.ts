import path from 'node:path';
import type { Draft } from './draft.ts';
import { items } from './draft.ts';
import { type ListFolder, matchingFiles, whyNot } from './file-pattern.ts';
import type { ReadFile } from './files.ts';
import { limits } from './limits.ts';
import type { ExtraResource } from './policy.types.ts';
import { type Finding, finding, type Path, type Refusal } from './problem.ts';
import { readResourceDocuments } from './resource-documents.ts';

export type { ListFolder } from './file-pattern.ts';

export interface ResourceFiles {
  readonly resources: readonly ExtraResource[];
  readonly findings: readonly Finding[];
  /** Absolute paths of the files and of the folders that were looked into. */
  readonly paths: readonly string[];
}

/** Reads the files of `resources:`, relative to the policy's folder: YAML into resources, each with its way back to its place. */
export async function readResourceFiles(
  draft: Draft,
  folder: string,
  { readFile, listFolder }: { readonly readFile: ReadFile; readonly listFolder: ListFolder },
): Promise<ResourceFiles> {
  const resources: ExtraResource[] = [];
  const findings: Finding[] = [];
  const paths = new Set<string>();
  const taken = new Map<string, number>();
  for (const { pattern, at, entry, notes } of usesOf(draft)) {
    const refuse = ({ refused, remedy }: Refusal, code: Finding['code'] = 'file'): void =>
      void findings.push(finding(code, at, refused, remedy));
    const { files, looked, failure } = await matchingFiles(folder, pattern, listFolder);
    for (const one of looked) paths.add(one);
    if (files.length === 0) refuse(nothingFits(pattern, failure));
    for (const file of files) {
      const location = path.resolve(folder, file);
      const earlier = taken.get(location);
      if (earlier !== undefined) {
        const remedy = 'let one entry name it; a folder for each entry keeps patterns apart';
        refuse({ refused: `"${file}" is a file of resources[${earlier}], too`, remedy }, 'duplicate');
        continue;
      }
      taken.set(location, entry);
      paths.add(location);
      if (taken.size > limits.resourceFiles) {
        refuse({ refused: `more than ${limits.resourceFiles} files of resources`, remedy: 'join some' }, 'limit');
        return { resources, findings, paths: [...paths] };
      }
      const text = await readText(location, file, readFile);
      if (typeof text !== 'string') {
        refuse(text);
        continue;
      }
      const shown = path.isAbsolute(file) ? file : path.join(folder, file);
      const read = readResourceDocuments(text, shown, at);
      resources.push(...read.resources.map((one) => ({ ...one, ...notes })));
      findings.push(...read.findings);
    }
  }
  if (resources.length > limits.resources) {
    const message = `${resources.length} resources, at most ${limits.resources} may be`;
    findings.push(finding('limit', ['resources'], message, 'keep what is needed'));
  }
  return { resources, findings, paths: [...paths] };
}

interface PatternUse {
  readonly pattern: string;
  readonly at: Path;
  readonly entry: number;
  readonly notes: Pick<ExtraResource, 'on' | 'unrecorded'>;
}

function usesOf(draft: Draft): PatternUse[] {
  return items(draft.resources).flatMap(({ value, index: entry }): PatternUse[] => {
    const at: Path = ['resources', entry];
    if (typeof value === 'string') return [{ pattern: value, at, entry, notes: {} }];
    const { on, unrecorded, files } = value;
    const notes = { ...(on !== undefined && { on }), ...(unrecorded !== undefined && { unrecorded }) };
    return items(files).map(({ value: pattern, index }) => ({ pattern, at: [...at, 'files', index], entry, notes }));
  });
}

function nothingFits(pattern: string, failure: string | undefined): Refusal {
  const why = failure === undefined ? '' : ` (${failure})`;
  return { refused: `no file fits "${pattern}"${why}`, remedy: 'correct the path, or remove it' };
}

async function readText(location: string, file: string, readFile: ReadFile): Promise<string | Refusal> {
  let content: string | Uint8Array;
  try {
    content = await readFile(location);
  } catch (caught) {
    return {
      refused: `cannot read "${file}" (${whyNot(caught)})`,
      remedy: `make ${location} readable, or correct the path`,
    };
  }
  if (content.length > limits.resourceBytes) {
    return { refused: `"${file}" is larger than ${limits.resourceBytes} bytes`, remedy: 'split it' };
  }
  return typeof content === 'string' ? content : new TextDecoder().decode(content);
}
