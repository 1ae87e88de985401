import { test } from 'node:test';
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import * as z from 'zod';
import { policyJsonSchema } from '../../src/policy/json-schema.ts';
import { loadPolicy } from '../../src/policy/load.ts';
import { policySchema } from '../../src/policy/schema.ts';
import { assertGenerated, between } from '../support/generated.ts';
import { referenceTable } from './reference-table.ts';

test('sekisho.schema.json is the schema that the policy is read with', async () => {
  await assertGenerated('sekisho.schema.json', policyJsonSchema);
});

test('docs/policy.md tells every key with its type, default, bounds, an example and its meaning', async () => {
  await assertGenerated('docs/policy.md', (now) => between(now, 'keys', referenceTable(policySchema)));
});

test('the example is a policy, and editors find its schema', async () => {
  const file = 'sekisho.example.yaml';
  const text = await readFile(file, 'utf8');
  assert.match(text, /^# yaml-language-server: \$schema=sekisho\.schema\.json\n/);
  const loaded = await loadPolicy({
    file,
    text,
    readFile: (path) => readFile(path),
    listFolder: () => Promise.resolve([]),
  });
  assert.ok('policy' in loaded, JSON.stringify(loaded));
  assert.equal(loaded.policy.file, file);
});

test('each example of the schema is what its key takes', () => {
  const examples = examplesOf(policySchema, '');
  assert.ok(examples.length > 40);
  for (const { path, schema, example } of examples) {
    assert.ok(schema.safeParse(example).success, `${path}: ${JSON.stringify(example)}`);
  }
});

interface Example {
  readonly path: string;
  readonly schema: z.ZodType;
  readonly example: unknown;
}

function examplesOf(schema: unknown, path: string): Example[] {
  if (!(schema instanceof z.ZodType)) return [];
  const examples: unknown = schema.meta()?.['examples'];
  const own = Array.isArray(examples) ? examples.map((example: unknown) => ({ path, schema, example })) : [];
  return [...own, ...inside(schema).flatMap(([key, child]) => examplesOf(child, `${path}${key}`))];
}

function inside(schema: z.ZodType): [string, unknown][] {
  if (schema instanceof z.ZodPrefault || schema instanceof z.ZodOptional) return [['', schema.unwrap()]];
  if (schema instanceof z.ZodObject) return Object.entries(schema.shape).map(([key, child]) => [`.${key}`, child]);
  if (schema instanceof z.ZodArray) return [['[]', schema.element]];
  if (schema instanceof z.ZodRecord)
    return [
      ['.KEY', schema.keyType],
      ['.*', schema.valueType],
    ];
  if (schema instanceof z.ZodUnion)
    return schema.options.map((option, index): [string, unknown] => [`|${index}`, option]);
  return [];
}
