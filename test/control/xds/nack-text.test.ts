import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { cutNack, nackLength } from '../../../src/control/xds/nack-text.ts';

const pem = '-----BEGIN PRIVATE KEY-----\\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcw\\n-----END PRIVATE KEY-----';

/** Texts of Envoy 1.40.0, as measured, and what must be left of them. */
const texts: readonly (readonly [name: string, text: string, expected: string])[] = [
  [
    'a cluster that a constraint forbids',
    'goo.gle/debugproto   name: "bad"\nconnect_timeout {\n}\n : Proto constraint validation failed (ClusterValidationError.ConnectTimeout: value must be greater than 0s)',
    'Proto constraint validation failed (ClusterValidationError.ConnectTimeout: value must be greater than 0s)',
  ],
  [
    'a listener with a bad filter',
    'Error adding/updating listener(s) l: goo.gle/debugproto  stat_prefix: "" inline_string: "s3cret" : Proto constraint validation failed (HttpConnectionManagerValidationError.StatPrefix: value length must be at least 1 characters)\n',
    'Error adding/updating listener(s) l: Proto constraint validation failed (HttpConnectionManagerValidationError.StatPrefix: value length must be at least 1 characters)',
  ],
  [
    'a key that does not fit its certificate',
    'Failed to load private key from <inline>, Cause: error:0b000074:X.509 certificate routines:OPENSSL_internal:KEY_VALUES_MISMATCH',
    'Failed to load private key from <inline>, Cause: error:0b000074:X.509 certificate routines:OPENSSL_internal:KEY_VALUES_MISMATCH',
  ],
  [
    'a reason that is not known, behind a configuration',
    'goo.gle/debugproto a: "b : c" d: 1 : it is not good',
    'it is not good',
  ],
  [
    'a configuration without a reason',
    'Error adding listener l: goo.gle/debugproto password: "x"',
    'Error adding listener l:',
  ],
  ['no text', '', ''],
  ['a PEM block', `cannot parse ${pem} as a key`, 'cannot parse [withheld] as a key'],
  [
    'a PEM block that lost its end',
    'cannot parse -----BEGIN PRIVATE KEY-----\nMIIEvQIBADAN',
    'cannot parse [withheld]',
  ],
  ['an inline secret', 'bad value inline_string: "s3\\"cret" here', 'bad value inline_string: [withheld] here'],
  ['a secret in JSON', '{"password": "hunter2", "name": "x"}', '{"password": [withheld], "name": "x"}'],
  ['a long run of base64', 'in AAAAB3NzaC1yc2EAAAADAQABAAABgQDf0example/x+y== end', 'in [withheld] end'],
  [
    'a name of ours, however long',
    'listener door-office-number-2-inside-the-tunnel-of-tokyo-1',
    'listener door-office-number-2-inside-the-tunnel-of-tokyo-1',
  ],
  ['what steers a terminal', 'a\u001b[31mb\tc\r\nd', 'a [31mb c d'],
];

for (const [name, text, expected] of texts) {
  test(`the text of a NACK keeps its reason and nothing else: ${name}`, () => {
    assert.equal(cutNack(text), expected);
  });
}

test('the text of a NACK is one line of at most 300 characters, whatever came', () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 2000, unit: 'binary' }), (text) => {
      const cut = cutNack(text);
      assert.ok(cut.length <= nackLength);
      assert.doesNotMatch(cut, /\p{Cc}/u);
    }),
  );
  assert.equal(cutNack('x '.repeat(1000)).length, nackLength);
});

test('no part of a PEM block or of an inline secret survives, wherever it stands', () => {
  fc.assert(
    fc.property(
      fc.string(),
      fc.string(),
      fc.constantFrom(pem, 'inline_bytes: "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcw"'),
      (before, after, secret) => {
        assert.doesNotMatch(cutNack(`${before} ${secret} ${after}`), /MIIEvQIBADANBg/);
      },
    ),
  );
});
