import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { decodeAny } from '../../src/wire/decode-any.ts';
import { encodeAny } from '../../src/wire/proto-json.ts';

const golden = new URL('../golden/resources/', import.meta.url);
for (const file of readdirSync(golden)) {
  test(`the resources of ${file} are read back with Envoy's names, and nothing is lost`, () => {
    const resources = JSON.parse(readFileSync(new URL(file, golden), 'utf8')) as { '@type': string }[];
    for (const resource of resources) {
      const bytes = encodeAny(resource);
      const read = decodeAny(bytes);
      assert.deepEqual(encodeAny(read), bytes);
      const written = keysOf(resource);
      for (const key of keysOf(read))
        assert.ok(written.has(key), `${key} of ${JSON.stringify(resource).slice(0, 200)}`);
    }
  });
}

test('keys that are nobody’s field names are read back as they are', () => {
  const filter_metadata = { a: { fields: { x: { listValue: 1 } }, connectTimeout: 'y' } };
  const resource = {
    '@type': 'type.googleapis.com/envoy.config.cluster.v3.Cluster',
    name: 'x',
    metadata: { filter_metadata },
  };
  assert.deepEqual(decodeAny(encodeAny(resource)), resource);
});

function keysOf(value: unknown): Set<string> {
  if (typeof value !== 'object' || value === null) return new Set();
  const own = Array.isArray(value) ? [] : Object.keys(value);
  return new Set([...own, ...Object.values(value).flatMap((inner) => [...keysOf(inner)])]);
}
