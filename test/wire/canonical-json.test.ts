import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { canonicalJson } from '../../src/wire/canonical-json.ts';
import { messageType } from '../../src/wire/envoy-api.ts';
import { encodeAny } from '../../src/wire/proto-json.ts';
import { protoFile } from '../../src/wire/proto-files.ts';
import { namedPems, shapes } from '../control/resources/shapes.ts';

const cluster = { '@type': 'type.googleapis.com/envoy.config.cluster.v3.Cluster', name: 'x' };
const lua = 'envoy.extensions.filters.http.lua.v3.Lua';

/** What the author wrote → what it is in Envoy's words. */
const written: Readonly<Record<string, readonly [object, object]>> = {
  'a field in lower camel case': [
    { ...cluster, connectTimeout: '1s' },
    { ...cluster, connect_timeout: '1s' },
  ],
  'an enum by number': [
    { ...cluster, type: 3 },
    { ...cluster, type: 'EDS' },
  ],
  'an enum by a number that a later Envoy gave': [
    { ...cluster, type: 77 },
    { ...cluster, type: 77 },
  ],
  'another prefix before the type': [{ ...cluster, '@type': 'x.test/envoy.config.cluster.v3.Cluster' }, cluster],
  null: [{ ...cluster, connect_timeout: null }, cluster],
  'a type of an extension inside': [
    { ...cluster, clusterType: { typedConfig: { '@type': `a/${lua}`, defaultSourceCode: { filename: 'f' } } } },
    {
      ...cluster,
      cluster_type: {
        typed_config: { '@type': `type.googleapis.com/${lua}`, default_source_code: { filename: 'f' } },
      },
    },
  ],
  'free text, which is left as it is': [
    { ...cluster, metadata: { filterMetadata: { a: { someKey: [1, null, { xY: true }] } } } },
    { ...cluster, metadata: { filter_metadata: { a: { someKey: [1, null, { xY: true }] } } } },
  ],
  'a type with a JSON form of its own': [
    { ...cluster, metadata: { typed_filter_metadata: { a: { '@type': 'x/google.protobuf.Duration', value: '1s' } } } },
    {
      ...cluster,
      metadata: {
        typed_filter_metadata: { a: { '@type': 'type.googleapis.com/google.protobuf.Duration', value: '1s' } },
      },
    },
  ],
};
for (const [name, [json, expected]] of Object.entries(written)) {
  test(`canonical: ${name}`, () => {
    const read = canonicalJson({ ...json });
    assert.deepEqual(read.faults, []);
    assert.deepEqual(read.json, expected);
    assert.ok(encodeAny(read.json).length > 0);
  });
}

/** What the author wrote → `kind at path`. */
const faulty: Readonly<Record<string, readonly [object, readonly string[]]>> = {
  'no type': [{ name: 'x' }, ['missing key ']],
  'a type that is no text': [{ '@type': 7 }, ['type value @type']],
  'a type that nobody knows': [{ '@type': 'a/b.C' }, ['unknown-type value @type']],
  'a type of a file that is not shipped whole': [
    { '@type': 'a/envoy.config.trace.v3.OpenCensusConfig' },
    ['unknown-type value @type'],
  ],
  'a type that climbs out of its folder': [{ '@type': 'a/envoy.../../x.C' }, ['unknown-type value @type']],
  'two unknown fields, and a known one between them': [
    { ...cluster, nope: 1, lb_policy: 'RANDOM', deeper: 1 },
    ['unknown-field key nope', 'unknown-field key deeper'],
  ],
  'an unknown field in a list': [
    { ...cluster, load_assignment: { endpoints: [{}, { lb_endpoints: [{ nope: 1 }] }] } },
    ['unknown-field key load_assignment.endpoints.1.lb_endpoints.0.nope'],
  ],
  'an unknown field of an extension': [
    { ...cluster, cluster_type: { typed_config: { '@type': `a/${lua}`, script: '' } } },
    ['unknown-field key cluster_type.typed_config.script'],
  ],
  'an extension of no known type': [
    { ...cluster, cluster_type: { typed_config: { '@type': 'a/b.C' } } },
    ['unknown-type value cluster_type.typed_config.@type'],
  ],
  'an extension without its type': [
    { ...cluster, cluster_type: { typed_config: {} } },
    ['missing key cluster_type.typed_config'],
  ],
  'a field under both of its names': [{ ...cluster, alt_stat_name: 'a', altStatName: 'b' }, ['twice key altStatName']],
  'two of a choice': [{ ...cluster, type: 'EDS', cluster_type: { name: 'x' } }, ['twice key cluster_type']],
  'an unknown value of an enum': [{ ...cluster, lb_policy: 'NOPE' }, ['type value lb_policy']],
  'text for a number': [
    { ...cluster, max_requests_per_connection: 'many' },
    ['type value max_requests_per_connection'],
  ],
  'a number for a list': [{ ...cluster, health_checks: 1 }, ['type value health_checks']],
  'a list for a map': [
    { ...cluster, typed_extension_protocol_options: [] },
    ['type value typed_extension_protocol_options'],
  ],
  'a list for a message': [{ ...cluster, load_assignment: [] }, ['type value load_assignment']],
  'a null in a list': [{ ...cluster, health_checks: [null] }, ['type value health_checks.0']],
  'a number that is a name': [{ ...cluster, name: 7 }, ['type value name']],
  'no duration': [{ ...cluster, connect_timeout: 5 }, ['type value connect_timeout']],
};
for (const [name, [json, expected]] of Object.entries(faulty)) {
  test(`faults: ${name}`, () => {
    const found = canonicalJson({ ...json }).faults.map(
      ({ kind, at, path: where }) => `${kind} ${at} ${where.join('.')}`,
    );
    assert.deepEqual(found, expected);
  });
}

const tls = (fields: object) => ({
  '@type': 'type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret',
  name: 's',
  ...fields,
});
const pem = '-----BEGIN PRIVATE KEY-----\nAAAA';
/** What the author wrote → where a secret stands in it. */
const secret: Readonly<Record<string, readonly [object, readonly string[]]>> = {
  'a private key': [
    tls({ tls_certificate: { private_key: { inline_string: 'k' } } }),
    ['tls_certificate.private_key.inline_string'],
  ],
  'a private key as bytes, in camel case': [
    tls({ tlsCertificate: { privateKey: { inlineBytes: 'AAAA' } } }),
    ['tlsCertificate.privateKey.inlineBytes'],
  ],
  'a private key in a file': [tls({ tls_certificate: { private_key: { filename: '/k' } } }), []],
  'a password': [
    tls({ tls_certificate: { password: { inline_string: 'p' } } }),
    ['tls_certificate.password.inline_string'],
  ],
  'a private key behind a certificate': [
    tls({ tls_certificate: { certificate_chain: { inline_string: `cert\n${pem}` } } }),
    ['tls_certificate.certificate_chain.inline_string'],
  ],
  'a private key in free text': [
    { ...cluster, metadata: { filter_metadata: { a: { key: pem } } } },
    ['metadata.filter_metadata.a'],
  ],
  'keys of a list': [
    tls({ session_ticket_keys: { keys: [{ filename: '/a' }, { inline_string: 'k' }] } }),
    ['session_ticket_keys.keys.1.inline_string'],
  ],
  'a certificate': [tls({ validation_context: { trusted_ca: { inline_string: 'cert' } } }), []],
};
for (const [name, [json, expected]] of Object.entries(secret)) {
  test(`secrets: ${name}`, () => {
    const read = canonicalJson({ ...json });
    assert.deepEqual(read.faults, []);
    assert.deepEqual(
      read.secrets.map((where) => where.join('.')),
      expected,
    );
  });
}

test('what Sekisho itself writes stays the same, and means the same however its fields are written', () => {
  for (const shape of Object.values(shapes)) {
    for (const resource of shape(namedPems)) {
      const read = canonicalJson(resource);
      assert.deepEqual([read.json, read.faults], [resource, []]);
      const otherwise = canonicalJson(inCamelCase(resource) as Record<string, unknown>);
      assert.deepEqual([otherwise.json, otherwise.faults], [resource, []]);
    }
  }
});

test('a fault never shows a value', () => {
  const read = canonicalJson({
    ...cluster,
    connect_timeout: 'hunter2',
    lb_policy: 'hunter2',
    health_checks: 'hunter2',
  });
  assert.equal(read.faults.length, 3);
  assert.doesNotMatch(JSON.stringify(read.faults), /hunter2/);
});

test('every message of the extensions that are shipped can be read', () => {
  const root = path.dirname(path.dirname(protoFile('envoy/config/x.proto')));
  const known = ['opencensus.proto', 'trace.proto', 'logs_service.proto'];
  const all = readdirSync(root, { recursive: true }).map(String);
  const files = all.filter((file) => /^(config|extensions)\/.*\/v3\/[a-z0-9_]+\.proto$/.test(file));
  assert.ok(files.length > 200);
  for (const file of files.filter((one) => !known.includes(path.basename(one)))) {
    const text = readFileSync(path.join(root, file), 'utf8');
    const message = /^message (\w+)/m.exec(text)?.[1];
    const name = `${/^package ([\w.]+);/m.exec(text)?.[1] ?? ''}.${message ?? ''}`;
    if (message !== undefined) assert.equal(messageType(name)?.fullName, `.${name}`, file);
  }
});

/** Keys of maps are no fields and stay; ours are told by having no lower camel case. */
function inCamelCase(value: unknown, isMap = false): unknown {
  if (Array.isArray(value)) return value.map((item) => inCamelCase(item));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => {
      const own =
        isMap || key === '@type' ? key : key.replaceAll(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
      return [own, inCamelCase(inner, ['map', 'filter_metadata', 'sekisho', 'typed_per_filter_config'].includes(key))];
    }),
  );
}
