import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isIssued, shownResource } from '../../../src/control/preview/shown.ts';
import { typeUrls } from '../../../src/control/resources/types.ts';
import { encodeAny, type TypedJson } from '../../../src/wire/proto-json.ts';
import { authority, leaf } from '../../policy/certificates.ts';

const key = '-----BEGIN PRIVATE KEY-----\nMIGHAgEAMBMGByqGSM49AgEG\n-----END PRIVATE KEY-----\n';
const issued = new Map([['leaf/office', ['a.example', 'b.example']]]);
const authorityShown = /^CN=Test authority \(SHA-256 [0-9a-f]{64}\)$/;
const leafShown = /^CN=Test leaf \(SHA-256 [0-9a-f]{64}\)$/;

test('of a certificate that the console CA issues its names are shown', () => {
  const tls_certificate = { certificate_chain: { inline_string: leaf }, private_key: { inline_string: key } };
  const found = shown({ '@type': typeUrls.secret, name: 'leaf/office', tls_certificate });
  assert.deepEqual(found, {
    '@type': typeUrls.secret,
    name: 'leaf/office',
    tls_certificate: { names: ['a.example', 'b.example'] },
  });
  assert.equal(isIssued(found), true);
});

test('of any other certificate the files are shown, or who it is for; of a key in the text nothing', () => {
  const other = (tls_certificate: object) => shown({ '@type': typeUrls.secret, name: 'other', tls_certificate });
  const files = { certificate_chain: { filename: '/etc/site.crt' }, private_key: { filename: '/etc/site.key' } };
  assert.deepEqual(other(files)['tls_certificate'], files);
  assert.equal(isIssued(other(files)), false);
  const inline = { certificate_chain: { inline_string: leaf }, private_key: { inline_string: key } };
  const { certificate_chain: chain, private_key } = other(inline)['tls_certificate'] as Record<string, Inline>;
  assert.match(chain?.inline_string[0] ?? '', leafShown);
  assert.deepEqual(private_key, { inline_string: ['(withheld)'] });
  const bytes = other({ private_key: { inline_bytes: Buffer.from(key).toString('base64') }, password: inText });
  const hidden = { private_key: { inline_bytes: '(withheld)' }, password: { inline_string: '(withheld)' } };
  assert.deepEqual(bytes['tls_certificate'], hidden);
});

const inText = { inline_string: 'hunter2' };
const kinds: [kind: string, content: object][] = [
  ['generic_secret', { secret: inText }],
  ['session_ticket_keys', { keys: [inText, inText] }],
];
for (const [kind, content] of kinds) {
  test(`what stands in the text of a ${kind} is withheld, and the name of a file is not`, () => {
    const of = (one: object) => shown({ '@type': typeUrls.secret, name: 'x', [kind]: one })[kind];
    assert.deepEqual(of(content), JSON.parse(JSON.stringify(content).replaceAll('hunter2', '(withheld)')));
    const named = JSON.parse(JSON.stringify(content).replaceAll('inline_string', 'filename')) as object;
    assert.deepEqual(of(named), named);
  });
}

test('wherever certificates stand they are shown by subject and fingerprint, and keys not at all', () => {
  const tls = 'type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext';
  const texts = [
    key + authority,
    key,
    '-----BEGIN CERTIFICATE-----\nbroken\n-----END CERTIFICATE-----',
    '-----BEGIN cut',
  ];
  const cluster = shown({
    '@type': typeUrls.cluster,
    name: 'x',
    transport_socket: {
      name: 'tls',
      typed_config: {
        '@type': tls,
        common_tls_context: { validation_context: { trusted_ca: { inline_string: authority + leaf } } },
      },
    },
    filters: texts.map((name) => ({ name })),
  });
  const socket = cluster['transport_socket'] as { typed_config: { common_tls_context: Tls } };
  const trusted = socket.typed_config.common_tls_context.validation_context.trusted_ca.inline_string;
  assert.match(trusted[0] ?? '', authorityShown);
  assert.match(trusted[1] ?? '', leafShown);
  const [withKey, ...others] = (cluster['filters'] as { name: string[] }[]).map(({ name }) => name);
  assert.equal(withKey?.[0], '(withheld)');
  assert.match(withKey[1] ?? '', authorityShown);
  assert.deepEqual(others, [['(withheld)'], ['(withheld)'], ['(withheld)']]);
});

interface Inline {
  readonly inline_string: readonly string[];
}
interface Tls {
  readonly validation_context: { readonly trusted_ca: Inline };
}

function shown(resource: TypedJson): TypedJson {
  assert.ok(encodeAny(resource).length > 0, 'it is one that Envoy could get');
  return shownResource(resource, issued);
}
