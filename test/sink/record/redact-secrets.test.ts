import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { redactEntry } from '../../../src/sink/record/redact.ts';
import { redactionRules } from '../../../src/sink/record/redaction-rules.ts';
import { bearing, everyByte, secretHeader, secretName } from '../../support/secret-bearers.ts';
import { consoleRequest, httpEntry } from './entries.ts';

const rules = redactionRules();

/** A random value that stands nowhere else, of letters and digits alone, so that no encoding hides it from the search. */
const secret = fc.stringMatching(/^[a-z0-9]{12}$/).map((text) => `MARK${text}`);

const text = secret.chain((value) => bearing(value).map((written) => ({ text: written, value })));

function assertGone(entry: Buffer, value: string): void {
  assert.ok(entry.includes(value), 'the entry never held the secret');
  const { bytes, marks } = redactEntry(entry, 'http', rules);
  assert.equal(bytes.includes(value), false, bytes.toString('latin1'));
  assert.ok(marks.length > 0);
  assert.equal(marks.join().includes(value), false, marks.join());
  assert.equal(redactEntry(bytes, 'http', rules).bytes, bytes, 'a second time changes nothing');
}

/** Where a client, or AWS, may put a text. */
const carriers: Readonly<Record<string, (text: string) => Buffer>> = {
  path: (path) => httpEntry(consoleRequest({ path })),
  'original path': (original_path) => httpEntry(consoleRequest({ original_path })),
  referer: (referer) => httpEntry(consoleRequest({ referer })),
  'user agent': (user_agent) => httpEntry(consoleRequest({ user_agent })),
  'forwarded for': (forwarded_for) => httpEntry(consoleRequest({ forwarded_for })),
  'request id': (request_id) => httpEntry(consoleRequest({ request_id })),
  'a request header': (origin) => httpEntry(consoleRequest({ request_headers: { origin } })),
  'response location': (location) => httpEntry(consoleRequest({}, {}, { response_headers: { location } })),
  'response refresh': (refresh) => httpEntry(consoleRequest({}, {}, { response_headers: { 'x-a': 'b', refresh } })),
  'a response trailer': (trailer) => httpEntry(consoleRequest({}, {}, { response_trailers: { trailer } })),
  'response code details': (response_code_details) => httpEntry(consoleRequest({}, {}, { response_code_details })),
  'a tag': (url) => httpEntry(consoleRequest({}, { custom_tags: { url } })),
  'dynamic metadata': (url) =>
    httpEntry(consoleRequest({}, { metadata: { filter_metadata: { f: { fields: { url: { stringValue: url } } } } } })),
  'the server name': (tls_sni_hostname) => httpEntry(consoleRequest({}, { tls_properties: { tls_sni_hostname } })),
  'the subject of a certificate': (subject) => httpEntry(withCertificate({ subject })),
  'the issuer of a certificate': (issuer) => httpEntry(withCertificate({ issuer })),
  'an address in a certificate': (uri) => httpEntry(withCertificate({ subject_alt_name: [{ dns: 'x' }, { uri }] })),
  'a name in a certificate': (dns) => httpEntry(withCertificate({ subject_alt_name: [{ dns }] })),
  'a failure reason': (reason) => httpEntry(consoleRequest({}, { upstream_transport_failure_reason: reason })),
};

function withCertificate(peer_certificate_properties: object): object {
  return consoleRequest({}, { tls_properties: { peer_certificate_properties } });
}

for (const [name, carry] of Object.entries(carriers)) {
  test(`no named secret in ${name} reaches the stored bytes, however it is encoded`, () => {
    fc.assert(
      fc.property(text, (one) => {
        // In a userinfo or a name, `every byte` encodes the marker itself; what is left is then still not the secret in plain.
        fc.pre(one.text.includes(one.value));
        assertGone(carry(one.text), one.value);
      }),
      { numRuns: 500 },
    );
  });
}

test('a value whose bytes are all percent-encoded is withheld as well', () => {
  fc.assert(
    fc.property(secretName, secret, (name, value) => {
      for (const written of [`/a?n=${everyByte(`/b?${name}=${value}`)}`, `/a?${everyByte(name)}=${everyByte(value)}`]) {
        assertGone(httpEntry(consoleRequest({ path: written })), everyByte(value));
      }
    }),
  );
});

test('credentials in an authority are withheld', () => {
  fc.assert(
    fc.property(secret, fc.constantFrom('@', '%40', '%2540'), (value, at) => {
      assertGone(httpEntry(consoleRequest({ authority: `taro:${value}${at}x:443` })), value);
    }),
  );
});

test('nothing of a Cookie, Set-Cookie, Authorization or their like is stored, be it a header, a trailer, a tag or metadata', () => {
  fc.assert(
    fc.property(secretHeader, secret, fc.constantFrom('', 'Basic ', 'Bearer ', 'a=b; c='), (name, value, before) => {
      const map = { [name]: before + value };
      for (const entry of [
        consoleRequest({ request_headers: map }),
        consoleRequest({}, {}, { response_headers: map }),
        consoleRequest({}, {}, { response_trailers: map }),
        consoleRequest({}, { custom_tags: map }),
        consoleRequest({}, { metadata: { filter_metadata: { f: { fields: { [name]: { stringValue: value } } } } } }),
      ]) {
        assertGone(httpEntry(entry), value);
      }
    }),
  );
});

test('a cookie that Envoy took for a claimed ARN is not stored', () => {
  fc.assert(
    fc.property(
      secret,
      fc.constantFrom('', 'arn:aws:iam::123456789012:user/taro"', '%22arn%22%3A%22'),
      (value, before) => {
        const arn = before + value;
        assertGone(httpEntry(consoleRequest({}, { custom_tags: { arn } })), value);
        const fields = { arn: { stringValue: arn } };
        assertGone(httpEntry(consoleRequest({}, { metadata: { filter_metadata: { sekisho: { fields } } } })), value);
      },
    ),
  );
});
