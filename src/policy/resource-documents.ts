import { limits } from './limits.ts';
import type { ExtraResource } from './policy.types.ts';
import { type Finding, finding, type Path } from './problem.ts';
import { isMap } from '../base/json-value.ts';
import { readSources, type Place, type Source } from './source.ts';

export interface ResourceDocuments {
  readonly resources: readonly ExtraResource[];
  readonly findings: readonly Finding[];
}

/**
 * The resources of one file: each YAML document is one, or has a list of them under `resources:` as the files of Envoy's own file-based xDS do.
 * `at` is the key of the policy that names the file; `file` its name for people.
 */
export function readResourceDocuments(text: string, file: string, at: Path): ResourceDocuments {
  const resources: ExtraResource[] = [];
  const findings: Finding[] = [];
  const refuse = ({ line, column }: Place, code: Finding['code'], message: string, remedy: string): void =>
    void findings.push({ ...finding(code, at, message, remedy), within: { file, line, column } });
  const sources = readSources(text);
  if (sources.length > limits.resources) {
    const [first] = sources;
    if (first) refuse(first.place([], 'value'), 'limit', `more than ${limits.resources} documents`, 'split the file');
    return { resources, findings };
  }
  for (const source of sources) {
    for (const { place, message, remedy } of source.problems) refuse(place, 'yaml', message, remedy);
    if (source.problems.length > 0) continue;
    for (const { value, path } of resourcesOf(source)) {
      const place: ExtraResource['place'] = (inner, part) => {
        const { line, column } = source.place([...path, ...inner], part);
        return { file, line, column };
      };
      if (isMap(value)) resources.push({ json: value, place });
      else refuse(source.place(path, 'value'), 'type', wanted(path), example);
    }
    for (const key of strangeKeys(source.value)) {
      const message = `"${key}" does not belong beside "resources"`;
      refuse(source.place([key], 'key'), 'unknown-key', message, 'remove it; only version_info may stand there, too');
    }
  }
  if (resources.length === 0 && findings.length === 0) {
    findings.push({
      ...finding('file', at, `"${file}" holds no resource`, example),
      within: { file, line: 1, column: 1 },
    });
  }
  return { resources, findings };
}

function wanted(path: Path): string {
  return path.length === 1 ? 'a list of resources belongs here' : 'a resource belongs here, a map with its "@type"';
}

const example = 'begin with "@type": type.googleapis.com/envoy.config.cluster.v3.Cluster, or another type';

function resourcesOf({ value }: Source): { value: unknown; path: Path }[] {
  // What stands between two separators, or behind the last one, may be nothing.
  if (value === null || value === undefined) return [];
  if (!isListFile(value)) return [{ value, path: [] }];
  const list: unknown = value['resources'];
  // What is no list is no resource either, whatever it is.
  if (!Array.isArray(list)) return [{ value: undefined, path: ['resources'] }];
  return list.map((item: unknown, index) => ({ value: item, path: ['resources', index] }));
}

function isListFile(value: unknown): value is Readonly<Record<string, unknown>> {
  return isMap(value) && Object.hasOwn(value, 'resources') && !Object.hasOwn(value, '@type');
}

function strangeKeys(value: unknown): string[] {
  if (!isListFile(value)) return [];
  return Object.keys(value).filter((key) => key !== 'resources' && key !== 'version_info');
}
