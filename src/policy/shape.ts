import * as z from 'zod';
import { issueParams } from './fields.ts';
import { type Finding, finding, type Path, pathText } from './problem.ts';
import { branchFor, schemaAt, valueAt } from './readable.ts';
import { policySchema } from './schema.ts';
import { didYouMean } from './suggest.ts';

type Issue = z.core.$ZodIssue;

/** What does not fit the schema: unknown keys, missing keys, wrong types, values out of bounds. */
export function shapeFindings(value: unknown): Finding[] {
  const result = policySchema.safeParse(value);
  return result.success ? [] : result.error.issues.flatMap((issue) => explain(value, issue, toPath(issue.path)));
}

function explain(root: unknown, issue: Issue, path: Path): Finding[] {
  const value = valueAt(root, path);
  if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => unknownKey(root, [...path, key]));
  if (issue.code === 'invalid_key') return badKey(issue, path);
  if (value === undefined) return [missing(root, path)];
  switch (issue.code) {
    case 'custom': {
      const { code, remedy } = issueParams(issue.params);
      return [finding(code, path, issue.message, remedy)];
    }
    case 'invalid_union':
      return badUnion(root, issue, path);
    case 'invalid_value':
      return [unknownValue(root, path, value, issue.values.map(String))];
    case 'too_small':
      return [outOfBounds(root, path, value, `at least ${issue.minimum} must be`)];
    case 'too_big':
      return [outOfBounds(root, path, value, `at most ${issue.maximum} may be`)];
    case 'invalid_type':
    case 'invalid_format':
    case 'not_multiple_of':
    case 'invalid_element':
      return [wrongType(root, path, value)];
  }
}

function unknownKey(root: unknown, path: Path): Finding {
  const key = String(path.at(-1));
  const parent = schemaAt(policySchema, root, path.slice(0, -1));
  const known = parent instanceof z.ZodObject ? Object.keys(parent.shape) : [];
  const remedy = key === '<<' ? 'merge keys are not read; write the keys out' : didYouMean(key, known);
  return { path, at: 'key', code: 'unknown-key', message: `unknown key "${pathText(path)}"`, remedy };
}

function missing(root: unknown, path: Path): Finding {
  const example = exampleAt(root, path);
  const remedy =
    example === undefined ? 'add it, see docs/policy.md' : `add it, such as ${String(path.at(-1))}: ${example}`;
  return { path, at: 'key', code: 'missing-key', message: `"${pathText(path)}" is missing`, remedy };
}

function badKey(issue: Extract<Issue, { code: 'invalid_key' }>, path: Path): Finding[] {
  return issue.issues.map((inner) => {
    const { code, remedy } = issueParams(inner.code === 'custom' ? inner.params : undefined);
    return { path, at: 'key', code, message: inner.message, remedy };
  });
}

/** Says what is wrong with the member that was meant; if none was, what the members are. */
function badUnion(root: unknown, issue: Extract<Issue, { code: 'invalid_union' }>, path: Path): Finding[] {
  const value = valueAt(root, path);
  const union = schemaAt(policySchema, root, path);
  const options = union instanceof z.ZodUnion ? union.options : [];
  const meant = branchFor(options, value);
  const inner = issue.errors.find((_, index) => meant !== undefined && options[index] === meant) ?? [];
  if (inner.length === 0) return [wrongType(root, path, value)];
  return inner.flatMap((error) => explain(root, error, [...path, ...toPath(error.path)]));
}

function unknownValue(root: unknown, path: Path, value: unknown, known: readonly string[]): Finding {
  if (typeof value !== 'string') return wrongType(root, path, value);
  const otherwise = metaOf(schemaAt(policySchema, root, path))?.['otherwise'];
  const remedy = didYouMean(value, known, typeof otherwise === 'string' ? otherwise : undefined);
  return finding('value', path, `"${value}" is not known here`, remedy);
}

function outOfBounds(root: unknown, path: Path, value: unknown, bound: string): Finding {
  const have = Array.isArray(value) ? `${value.length} entries` : JSON.stringify(value);
  return finding('limit', path, `"${pathText(path)}" has ${have}, ${bound}`, hint(root, path));
}

function wrongType(root: unknown, path: Path, value: unknown): Finding {
  const type = notesAt(root, path)?.['wants'];
  const wanted = typeof type === 'string' ? type : 'a map';
  return finding('type', path, `${nameAt(path)} wants ${wanted}, but this is ${nameOf(value)}`, hint(root, path));
}

function hint(root: unknown, path: Path): string {
  const example = exampleAt(root, path);
  return example === undefined ? 'see docs/policy.md' : `write, for example, ${example}`;
}

function exampleAt(root: unknown, path: Path): string | undefined {
  const examples = notesAt(root, path)?.['examples'];
  return Array.isArray(examples) && examples.length > 0 ? JSON.stringify(examples[0]) : undefined;
}

/** Notes stand on the outermost wrapper of a key or inside it; both are asked. */
function notesAt(root: unknown, path: Path): Record<string, unknown> | undefined {
  const last = path.at(-1);
  const parent = schemaAt(policySchema, root, path.slice(0, -1));
  const outer: unknown = parent instanceof z.ZodObject && last !== undefined ? parent.shape[String(last)] : undefined;
  const inner = schemaAt(policySchema, root, path);
  return metaOf(outer) ?? metaOf(inner);
}

function metaOf(schema: unknown): Record<string, unknown> | undefined {
  return schema instanceof z.ZodType ? schema.meta() : undefined;
}

function nameOf(value: unknown): string {
  if (value === null) return 'empty';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'a map';
  if (typeof value === 'string') return `the text "${value.length > 40 ? `${value.slice(0, 40)}…` : value}"`;
  return typeof value === 'number' || typeof value === 'boolean'
    ? `the ${typeof value} ${String(value)}`
    : typeof value;
}

function nameAt(path: Path): string {
  return path.length === 0 ? 'the policy' : `"${pathText(path)}"`;
}

function toPath(path: readonly PropertyKey[]): Path {
  return path.map((part) => (typeof part === 'number' ? part : String(part)));
}
