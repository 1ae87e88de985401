import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { claimedArn, isClaimedArn } from '../../../src/sink/record/claimed-arn.ts';

const admitted: Readonly<Record<string, string>> = {
  'a user': 'arn:aws:iam::123456789012:user/taro',
  'a user in a path': 'arn:aws:iam::123456789012:user/dept/sub-1/taro.yamada',
  'the root user': 'arn:aws:iam::123456789012:root',
  'an assumed role': 'arn:aws:sts::123456789012:assumed-role/Admin/taro',
  'a session with every sign that STS admits': 'arn:aws:sts::123456789012:assumed-role/A_b/taro+x=1,2.3@example.com-4',
  'a user of IAM Identity Center':
    'arn:aws:sts::123456789012:assumed-role/AWSReservedSSO_Admin_0a1b2c/taro@example.com',
  'a federated user': 'arn:aws:sts::123456789012:federated-user/taro',
  China: 'arn:aws-cn:iam::123456789012:user/taro',
  GovCloud: 'arn:aws-us-gov:iam::123456789012:user/taro',
  'the European cloud': 'arn:aws-eusc:iam::123456789012:user/taro',
};

for (const [name, arn] of Object.entries(admitted)) {
  test(`an ARN, plain or percent-encoded: ${name}`, () => {
    for (const text of [arn, encodeURIComponent(arn), encodeURIComponent(encodeURIComponent(arn))]) {
      assert.equal(claimedArn(text), arn);
      const bytes = Buffer.from(`<${text}>`);
      assert.equal(isClaimedArn(bytes, 1, bytes.length - 1), true);
    }
  });
}

const refused: Readonly<Record<string, string>> = {
  'the whole cookie': '{"username":"taro","keybase":"secret"}',
  'the whole cookie, encoded': '%7B%22arn%22%3A%22arn%3Aaws%3Aiam%3A%3A123456789012%3Auser%2Ftaro%22%7D',
  'text before it': 'x arn:aws:iam::123456789012:user/taro',
  'text behind it': 'arn:aws:iam::123456789012:user/taro; aws-creds=secret',
  'a line behind it': 'arn:aws:iam::123456789012:user/taro\nsecret',
  'a line end behind it': 'arn:aws:iam::123456789012:user/taro\n',
  'an encoded text behind it': 'arn:aws:iam::123456789012:user/taro%22%2C%22k%22%3A%22secret',
  'another service': 'arn:aws:s3:::bucket/key',
  'another kind of resource': 'arn:aws:iam::123456789012:group/Admins',
  'an account of eleven digits': 'arn:aws:iam::12345678901:user/taro',
  'letters beyond ASCII': 'arn:aws:iam::123456789012:user/t\u0430ro',
  'digits beyond ASCII': 'arn:aws:iam::\uff11\uff12\uff13\uff14\uff15\uff16\uff17\uff18\uff19\uff10\uff11\uff12:root',
  'an unknown partition': 'arn:aws-x:iam::123456789012:root',
  'no name': 'arn:aws:iam::123456789012:user/',
  'more than 1,024 characters': `arn:aws:iam::123456789012:user/${'a'.repeat(1024)}`,
};

for (const [name, text] of Object.entries(refused)) {
  test(`no ARN: ${name}`, () => {
    assert.equal(claimedArn(text), undefined);
    const bytes = Buffer.from(text);
    assert.equal(isClaimedArn(bytes, 0, bytes.length), false);
  });
}

test('nothing, and the sign that Envoy writes for nothing, may stay but claim nobody', () => {
  for (const text of ['', '-']) {
    assert.equal(isClaimedArn(Buffer.from(text), 0, text.length), true);
    assert.equal(claimedArn(text), undefined);
  }
});

test('whatever is admitted is an ARN once its encoding is undone', () => {
  const part = fc.constantFrom(
    'arn:',
    'aws',
    ':iam::',
    '123456789012',
    ':user/',
    'taro',
    '%3A',
    '%',
    '25',
    '"',
    '\n',
    ';',
  );
  fc.assert(
    fc.property(fc.array(part, { maxLength: 10 }), (parts) => {
      const arn = claimedArn(parts.join(''));
      if (arn !== undefined) assert.match(arn, /^arn:[a-z-]+:(iam|sts)::\d{12}:[\w+=,.@/-]+$/);
    }),
  );
});
