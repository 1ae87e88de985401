import fc from 'fast-check';
import { bearing, secretHeader } from './secret-bearers.ts';

/**
 * Every planted secret begins so, and goes on with where it was planted. Small letters and nothing else, as some of what comes to a door is
 * folded to them.
 */
export const mark = 'plantedsecret';
const secret = (where: string): string => `${mark}in${where}`;

export const consoleHost = 'us-east-1.console.aws.amazon.com';
/** Who has the right password at the door `desk`; it is planted, too. */
export const known = { name: 'hanako', password: secret('rightpassword') } as const;

/** Something that a client does, with secrets in it where docs/records.md promises to withhold them, or says that they are never sent. */
export type Attempt =
  /** Bytes to a door, or behind its TLS and its CONNECT to the console. */
  | { readonly kind: 'bytes'; readonly to: 'door' | 'console'; readonly door: string; readonly bytes: string }
  /** Bytes behind the CONNECT of a proxy that are no TLS. */
  | { readonly kind: 'tunnelled'; readonly door: string; readonly bytes: string }
  | { readonly kind: 'hello'; readonly door: string; readonly protocol: string; readonly serverName: string }
  | { readonly kind: 'http2'; readonly door: string; readonly path: string; readonly headers: Headers }
  | { readonly kind: 'webSocket'; readonly door: string; readonly path: string; readonly headers: Headers; readonly frame: string } // prettier-ignore
  /** A certificate that its bearer has signed, with texts of the bearer's. */
  | { readonly kind: 'stranger'; readonly door: string; readonly subject: string; readonly unit: string; readonly address: string } // prettier-ignore
  /** Bytes to one of the two HTTP servers of the service. */
  | { readonly kind: 'web'; readonly server: 'admin' | 'public'; readonly bytes: string }
  /** What an Envoy, or somebody in its name, says over gRPC. */
  | { readonly kind: 'accessLog'; readonly node: string; readonly log: string; readonly tag: string; readonly header: string } // prettier-ignore
  | { readonly kind: 'discovery'; readonly node: Node; readonly type: string; readonly nack: string };

type Headers = Readonly<Record<string, string>>;

interface Node {
  readonly id: string;
  readonly cluster: string;
  readonly user_agent_name: string;
  readonly user_agent_version: string;
}

/** Headers that are logged, and those that Envoy itself reads: there a secret is known by its name. */
const readHeaders = [
  ...['referer', 'user-agent', 'origin', 'content-type', 'x-forwarded-for', 'x-request-id', 'x-forwarded-host'],
  ...['x-envoy-original-path', 'x-envoy-original-host', 'x-forwarded-client-cert', 'x-forwarded-proto'],
];
/** Headers that nobody logs: whatever they hold stays where it was. */
const unreadHeaders = [
  ...['x-unheard-of', 'traceparent', 'tracestate', 'x-b3-traceid', 'forwarded', 'via', 'from', 'if-none-match'],
  ...['x-sekisho-user', 'x-sekisho-client', 'x-amz-security-token', 'x-real-ip', 'accept'],
];

const arn = 'arn:aws:iam::123456789012:user/taro';
const cookies = fc.constantFrom(
  `aws-creds=${secret('cookie')}`,
  `aws-userInfo=${secret('userinfo')}; aws-creds=${secret('cookie')}`,
  `aws-userInfo=${encodeURIComponent(JSON.stringify({ arn: secret('arn') }))}`,
  `aws-userInfo=${encodeURIComponent(JSON.stringify({ arn, keybase: secret('keybase') }))}`,
);

const headers: fc.Arbitrary<Headers> = fc
  .tuple(
    fc.subarray(readHeaders, { maxLength: 4 }).chain((names) => pairs(names, (name) => bearing(secret(letters(name))))),
    fc
      .subarray(unreadHeaders, { maxLength: 4 })
      .chain((names) => pairs(names, (name) => fc.constant(secret(letters(name))))),
    secretHeader.map((name) => ({ [name.toLowerCase()]: `Bearer ${secret('secretheader')}` })),
    fc.option(
      cookies.map((cookie) => ({ cookie })),
      { nil: {} },
    ),
  )
  .map((parts) => Object.assign({}, ...parts) as Headers);

function pairs(names: readonly string[], value: (name: string) => fc.Arbitrary<string>): fc.Arbitrary<Headers> {
  return fc.record(Object.fromEntries(names.map((name) => [name, value(name)])));
}

const letters = (name: string): string => name.replaceAll(/[^a-z0-9]/g, '');
const lines = (named: Headers): string =>
  Object.entries(named)
    .map(([name, value]) => `${name}: ${value}\r\n`)
    .join('');

/** Who somebody says to be in front of a host. */
const authority = fc.constantFrom(
  ...[consoleHost, consoleHost, `taro:${secret('userinfo')}@${consoleHost}`, `${secret('userinfo')}@${consoleHost}`],
  ...[`taro%3A${secret('userinfo')}%40${consoleHost}`, `taro:${secret('userinfo')}%2540${consoleHost}`],
);

const body = fc.constantFrom(
  ...['\r\n', '\r\n', '\r\n'],
  `content-length: ${secret('body').length}\r\n\r\n${secret('body')}`,
  `transfer-encoding: chunked\r\n\r\n4\r\na=b&\r\n0\r\nx-checksum: ${secret('trailer')}\r\n\r\n`,
  `transfer-encoding: chunked\r\n\r\n${secret('chunksize')}\r\n`,
  `authorization ${secret('brokenheader')}\r\n\r\n`,
  `cookie: ${secret('longcookie')}${'x'.repeat(70_000)}\r\n\r\n`,
);

const version = fc.constantFrom('HTTP/1.1', 'HTTP/1.1', 'HTTP/1.1', 'HTTP/1.0', 'HTTP/7.3');
const method = fc.constantFrom('GET', 'GET', 'GET', 'POST', 'POST', secret('method'));

/** A request of HTTP/1.1 for what stands in a target. */
function request(target: fc.Arbitrary<string>, methods = method): fc.Arbitrary<string> {
  return fc
    .tuple(methods, target, version, authority, headers, body)
    .map(
      ([verb, path, spoken, host, named, rest]) =>
        `${verb} ${path} ${spoken}\r\nhost: ${host}\r\nconnection: close\r\n${lines(named)}${rest}`,
    );
}

const path = fc.oneof(
  { weight: 5, arbitrary: bearing(secret('path')) },
  { weight: 1, arbitrary: bearing(secret('path')).map((text) => text + 'y'.repeat(70_000)) },
  { weight: 1, arbitrary: fc.constant(`https://taro:${secret('target')}@${consoleHost}/a`) },
);

const noHttp = fc.constantFrom(
  `password=${secret('garbage')}\n`,
  `PROXY TCP4 ${secret('proxyprotocol')} 127.0.0.1 1 2\r\n`,
  `\x16\x03\x01\x00\x30${secret('handshake').padEnd(80, '!')}`,
  `\x16\x03\x01\x00\x30\x01\x00\x00\x2c\x03\x03${secret('hello').padEnd(80, '!')}`,
  `PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n${secret('frames')}`,
  'z'.repeat(70_000) + secret('long'),
);

/** Right, wrong, and no credentials at all; people type a password where the name belongs, too. */
const credentials = fc.constantFrom(
  base64(`${known.name}:${known.password}`),
  base64(`nobody:${secret('wrongpassword')}`),
  base64(`${secret('name')}:`),
  base64(secret('nocolon')),
  `Basic ${secret('nobase')}`,
  `Bearer ${secret('bearer')}`,
  `Digest username="x", response="${secret('digest')}"`,
);
function base64(text: string): string {
  return `Basic ${Buffer.from(text).toString('base64')}`;
}

const connect = fc
  .tuple(authority, version, headers, fc.option(credentials, { nil: `Basic ${secret('unasked')}` }))
  .map(
    ([to, spoken, named, shown]) =>
      `CONNECT ${to}:443 ${spoken}\r\nhost: ${to}\r\nconnection: close\r\n${lines({ ...named, 'proxy-authorization': shown })}\r\n`,
  );
const plain = request(
  fc.tuple(authority, bearing(secret('path'))).map(([host, text]) => `http://${host}/${text}`),
  fc.constantFrom('GET', 'POST'),
);

const proxies = fc.constantFrom('lab', 'office', 'desk', 'blind');
const decrypting = fc.constantFrom('lab', 'office', 'lan', 'hosts');
const everyDoor = fc.constantFrom('lab', 'office', 'desk', 'blind', 'lan', 'pass', 'hosts');
/** For a client that refuses to write anything else. */
const wellFormed = (where: string) =>
  bearing(secret(where)).map((text) => {
    const { pathname, search } = new URL(`/a?u=${text}`.replaceAll('#', '%23'), 'https://x');
    return pathname + search;
  });
const sendable = headers.map((named) =>
  Object.fromEntries(Object.entries(named).filter(([, value]) => /^[\t -~]*$/.test(value))),
);

const nodeName = fc.oneof(
  fc.constantFrom('egress-1', 'egress-1', 'stranger'),
  bearing(secret('node')),
  fc.constant(`token=${secret('node')}`),
);
const nack = fc.constantFrom(
  `cannot load -----BEGIN PRIVATE KEY-----\n${secret('key')}\n-----END PRIVATE KEY-----`,
  `goo.gle/debugproto inline_string: "${secret('inline')}" : Proto constraint validation failed (x)`,
  `bad value inline_bytes: "${secret('inline')}" here`,
  `{"password": "${secret('password')}", "name": "x"}`,
  `token: ${secret('token')} is no good`,
  `private_key = '${secret('privatekey')}`,
);

const kinds: readonly fc.Arbitrary<Attempt>[] = [
  kind('bytes', { to: fc.constant('console'), door: decrypting, bytes: request(path) }),
  kind('bytes', { to: fc.constant('console'), door: decrypting, bytes: noHttp }),
  kind('bytes', { to: fc.constant('door'), door: proxies, bytes: fc.oneof(connect, plain) }),
  kind('bytes', { to: fc.constant('door'), door: fc.constant('desk'), bytes: connect }),
  kind('bytes', { to: fc.constant('door'), door: everyDoor, bytes: noHttp }),
  kind('tunnelled', { door: fc.constantFrom('lab', 'office', 'blind'), bytes: noHttp }),
  kind('hello', {
    door: everyDoor,
    protocol: fc.constant(secret('alpn')),
    serverName: fc.constantFrom(consoleHost, 'files.example.com', `token=${secret('servername')}`),
  }),
  kind('http2', { door: fc.constantFrom('lab', 'office', 'desk'), path: wellFormed('http2'), headers: sendable }),
  kind('webSocket', {
    door: fc.constantFrom('lab', 'office', 'desk'),
    path: wellFormed('socket'),
    headers: sendable,
    frame: fc.constant(secret('frame')),
  }),
  kind('stranger', {
    door: fc.constant('office'),
    subject: bearing(secret('subject')),
    unit: bearing(secret('unit')),
    address: bearing(secret('address')),
  }),
  kind('web', { server: fc.constantFrom('admin', 'public'), bytes: request(path) }),
  kind('web', {
    server: fc.constantFrom('admin', 'public'),
    bytes: wellFormed('page').map((asked) => `GET ${asked} HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n\r\n`),
  }),
  kind('accessLog', {
    node: nodeName,
    log: fc.oneof(fc.constant('lab/http'), bearing(secret('log'))),
    tag: bearing(secret('tag')),
    header: secretHeader.map((name) => name),
  }),
  kind('discovery', {
    node: fc.record({
      id: nodeName,
      cluster: fc.oneof(fc.constant('sekisho'), bearing(secret('cluster'))),
      user_agent_name: bearing(secret('agent')),
      user_agent_version: fc.oneof(fc.constant('1.40.0'), bearing(secret('version'))),
    }),
    type: fc.oneof(fc.constant('envoy.config.cluster.v3.Cluster'), bearing(secret('type'))),
    nack,
  }),
];

function kind<K extends Attempt['kind']>(
  name: K,
  parts: {
    [P in Exclude<keyof Extract<Attempt, { kind: K }>, 'kind'>]: fc.Arbitrary<Extract<Attempt, { kind: K }>[P]>;
  },
): fc.Arbitrary<Attempt> {
  return fc.record({ kind: fc.constant(name), ...parts }) as unknown as fc.Arbitrary<Attempt>;
}

/** So many of each kind. */
export function attempts(each: number): fc.Arbitrary<readonly Attempt[]> {
  const some = kinds.map((one) => fc.array(one, { minLength: each, maxLength: each }));
  return fc.tuple(...some).map((found) => found.flat());
}
