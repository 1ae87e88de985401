import { test } from 'node:test';
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { loadPolicy, formatProblem } from '../../src/policy/load.ts';
import type { Problem } from '../../src/policy/load.ts';
import type { Policy } from '../../src/policy/policy.types.ts';
import { authority, leaf } from './certificates.ts';

const hashText = `$scrypt$ln=15,r=8,p=1$${'A'.repeat(22)}$${'A'.repeat(43)}`;

/** Lines 1 to 13; a case appends to it, or replaces a line by number. */
const good = [
  'fleet:',
  '  name: tokyo',
  '  egress: [51.44.71.80/32]',
  '  nodes:',
  '    egress: [{id: egress-1, address: 10.0.0.5}]',
  'doors:',
  '  - {name: office, on: egress, kind: forward, listen: 127.0.0.1:3128, users: none}',
  'console:',
  '  regions: [us-east-1]',
  'record: {assurance: stream}',
];

const files: Readonly<Record<string, string>> = {
  '/etc/sekisho/ca.pem': authority,
  '/etc/sekisho/leaf.pem': leaf,
  '/etc/sekisho/users': `# people\n\ntaro:${hashText}\n`,
  '/etc/sekisho/bad.users': `taro:${hashText}\nhanako:plain-secret-of-hanako\n\ntaro:${hashText}\n`,
  '/etc/sekisho/text.pem': 'no certificate',
  '/etc/sekisho/broken.pem': '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n',
  '/etc/sekisho/key.pem': `${authority}-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n`,
};

async function load(text: string) {
  return loadPolicy({
    file: '/etc/sekisho/sekisho.yaml',
    text,
    readFile: (path) => {
      const content = files[path];
      return content === undefined
        ? Promise.reject(Object.assign(new Error('no such file'), { code: 'ENOENT' }))
        : Promise.resolve(Buffer.from(content));
    },
    listFolder: () => Promise.resolve([]),
  });
}

async function problemsOf(text: string): Promise<readonly Problem[]> {
  const loaded = await load(text);
  return 'problems' in loaded ? loaded.problems : [];
}

async function policyOf(text: string): Promise<Policy> {
  const loaded = await load(text);
  assert.ok('policy' in loaded, JSON.stringify(loaded));
  return loaded.policy;
}

/** The good policy with lines replaced (by number) or added (number 0). */
function edit(...changes: readonly (readonly [number, string])[]): string {
  const lines = [...good];
  for (const [line, text] of changes) {
    if (line === 0) lines.push(text);
    else lines[line - 1] = text;
  }
  return `${lines.join('\n')}\n`;
}

const door = (rest: string) => `  - {name: office, on: egress, kind: forward, ${rest}}`;
const two = (first: string, second: string) =>
  `  - {name: a, on: egress, kind: forward, users: none, reason: r, listen: ${first}}\n` +
  `  - {name: b, on: egress, kind: forward, users: none, reason: r, listen: ${second}}`;

const direct = (kind: string, rest: string) => `  - {name: a, on: egress, kind: ${kind}, ${rest}}`;
const blind = (listen: string) => direct('reverse', `listen: ${listen}, inspect: tunnel, users: none, reason: r`);
const resolved = '  regions: [us-east-1]\n  resolvers: [10.0.0.2]';
const unaddressed = '    egress: [{id: egress-1}]';

/** name → policy, problems as `LINE:COLUMN code path`. */
const cases: Readonly<Record<string, readonly [string, readonly string[]]>> = {
  'a good policy': [edit(), []],

  // YAML
  'an empty file': ['', ['1:1 type ']],
  'only a comment': ['# nothing\n', ['1:1 type ']],
  'a list at the top': ['- a\n', ['1:1 type ']],
  'a key twice': [edit([2, '  name: tokyo\n  name: osaka']), ['3:3 yaml ']],
  'a second document': [edit([0, '---\na: 1']), ['11:1 yaml ']],
  'an unknown tag': [edit([2, '  name: !town tokyo']), ['2:9 yaml ']],
  'a tab': [edit([2, '\tname: tokyo']), ['2:1 yaml ', '4:1 yaml ']],
  'an unknown alias': [edit([2, '  name: *town']), ['2:9 yaml ']],
  'an alias in itself': [edit([3, '  egress: &x [*x]']), ['3:15 yaml ']],
  'an alias that holds aliases': [edit([0, 'a: &a 1\nb: &b [*a]\nc: *b']), ['13:4 yaml ']],
  'a merge key': [edit([2, '  name: tokyo\n  <<: {a: 1}']), ['3:3 unknown-key fleet["<<"]']],
  'a break: what stands before it is still judged, what stands behind it is not': [
    'flet: 1\nfleet:\n  name: "tokyo\n  egress: [10.0.0.0/8]\ndoors: 3\n',
    ['1:1 unknown-key flet', '6:1 yaml '],
  ],

  // Shape
  'an unknown key': [edit([2, '  name: tokyo\n  egres: []']), ['3:3 unknown-key fleet.egres']],
  'an unknown key in a door': [
    edit([7, door('listen: 127.0.0.1:1, users: none, ports: 3')]),
    ['7:81 unknown-key doors[0].ports'],
  ],
  'a missing key': [edit([2, '']), ['1:1 missing-key fleet.name']],
  'a missing key of a list item': [
    edit([7, '  - {name: office, on: egress, kind: forward, users: none}']),
    ['7:5 missing-key doors[0].listen'],
  ],
  'a missing section': [edit([8, ''], [9, '']), ['1:1 missing-key console']],
  'a number for text': [edit([2, '  name: 7']), ['2:9 type fleet.name']],
  'a map for a list': [edit([3, '  egress: {a: 1}']), ['3:11 type fleet.egress']],
  'nothing behind a key': [edit([3, '  egress:']), ['3:10 type fleet.egress']],
  'a scalar for a group': [edit([5, '    egress: 3']), ['5:13 type fleet.nodes.egress']],
  'an empty list of doors': [edit([6, 'doors: []'], [7, '']), ['6:8 limit doors']],
  'a pattern of no nodes': [
    edit([0, ''], [5, '    egress: {match: "e-*", max: 0}']),
    ['5:33 limit fleet.nodes.egress.max'],
  ],
  'too many doors': [
    edit([
      7,
      Array.from(
        { length: 201 },
        (_, i) => `  - {name: d${i}, on: egress, kind: forward, users: none, listen: 127.0.0.1:${i + 1}}`,
      ).join('\n'),
    ]),
    ['7:3 limit doors'],
  ],
  'too many nodes by pattern': [
    edit([5, '    egress: [{id: egress-1}]\n    a: {match: "a-*", max: 10000}']),
    ['5:5 limit fleet.nodes'],
  ],
  'too many groups': [
    edit([5, `    egress: [{id: e}]\n${Array.from({ length: 100 }, (_, i) => `    g${i}: [{id: n${i}}]`).join('\n')}`]),
    ['5:5 limit fleet.nodes'],
  ],
  'no group': [edit([4, '  nodes: {}'], [5, '']), ['4:10 limit fleet.nodes', '7:24 unknown-name doors[0].on']],

  // Fleet
  'a name that is no label': [edit([2, '  name: Tokyo_1']), ['2:9 value fleet.name']],
  'a group name that is no label': [edit([4, '  nodes:\n    Bad: [{id: x}]']), ['5:5 value fleet.nodes.Bad']],
  'host bits': [edit([3, '  egress: [51.44.71.81/24]']), ['3:12 value fleet.egress[0]']],
  'not an address': [
    edit([3, '  egress: [51.44.71, "0x7f.1", 1.2.3.4/33, "2a00::1%eth0"]']),
    [
      '3:12 value fleet.egress[0]',
      '3:22 value fleet.egress[1]',
      '3:32 value fleet.egress[2]',
      '3:44 value fleet.egress[3]',
    ],
  ],
  'overlapping egress': [
    edit([3, '  egress: [51.44.71.80, 51.44.71.0/24, "2a05:d000::/25", "2a05:d000::1"]']),
    ['3:25 overlap fleet.egress[1]', '3:58 overlap fleet.egress[3]'],
  ],
  'a node id twice': [
    edit([5, '    egress: [{id: a}, {id: a}]\n    other: [{id: b}, {id: a}]']),
    ['5:28 duplicate fleet.nodes.egress[1].id', '6:27 duplicate fleet.nodes.other[1].id'],
  ],
  'a node id that is an address': [edit([5, '    egress: [{id: 10.0.0.5}]']), ['5:19 value fleet.nodes.egress[0].id']],
  'a node address with a scheme': [
    edit([5, '    egress: [{id: a, address: "https://a"}]']),
    ['5:31 value fleet.nodes.egress[0].address'],
  ],
  'a source of another family': [
    edit([5, '    egress: [{id: a, source: "2a05::1"}]']),
    ['5:30 conflict fleet.nodes.egress[0].source'],
  ],
  'a pattern that fits a node of another group': [
    edit([5, '    egress: [{id: egress-1}]\n    host: {match: "e*", max: 5}']),
    ['6:19 overlap fleet.nodes.host.match'],
  ],
  'two patterns that meet': [
    edit([5, '    egress: [{id: x}]\n    a: {match: "host-*", max: 5}\n    b: {match: "*-1", max: 5}']),
    ['7:16 overlap fleet.nodes.b.match'],
  ],
  'a pattern without a star': [
    edit([5, '    egress: [{id: x}]\n    a: {match: "host", max: 5}']),
    ['6:16 value fleet.nodes.a.match'],
  ],
  'a pattern with more than stars': [
    edit([5, '    egress: [{id: x}]\n    a: {match: "host-[0-9]*", max: 5}']),
    ['6:16 value fleet.nodes.a.match'],
  ],

  // Doors
  'a door name twice': [
    edit([7, `${door('listen: 127.0.0.1:1, users: none')}\n${door('listen: 127.0.0.1:2, users: none')}`]),
    ['8:12 duplicate doors[1].name'],
  ],
  'an unknown group': [
    edit([7, '  - {name: a, on: egres, kind: forward, listen: 127.0.0.1:1, users: none}']),
    ['7:19 unknown-name doors[0].on'],
  ],
  'a port that is taken': [edit([7, two('127.0.0.1:3128', '127.0.0.1:3128')]), ['8:74 overlap doors[1].listen']],
  'a port that any address takes': [edit([7, two('0.0.0.0:3128', '127.0.0.1:3128')]), ['8:74 overlap doors[1].listen']],
  'any address of the other family': [edit([7, two('0.0.0.0:3128', '"[::]:3128"')]), []],
  'two ports': [edit([7, two('127.0.0.1:3128', '127.0.0.1:3129')]), []],
  'a listener without a port': [edit([7, door('listen: 127.0.0.1, users: none')]), ['7:55 value doors[0].listen']],
  'a listener by name': [edit([7, door('listen: localhost:3128, users: none')]), ['7:55 value doors[0].listen']],
  'a port out of range': [edit([7, door('listen: 127.0.0.1:65536, users: none')]), ['7:55 value doors[0].listen']],
  'a door without users off loopback': [
    edit([7, door('listen: 0.0.0.0:3128, users: none')]),
    ['7:76 exposed doors[0].users'],
  ],
  'a door without users off loopback, with a reason': [
    edit([7, door('listen: 0.0.0.0:3128, users: none, reason: badges')]),
    [],
  ],
  'an empty reason': [
    edit([7, door('listen: 0.0.0.0:3128, users: none, reason: " "')]),
    ['7:76 exposed doors[0].users', '7:90 value doors[0].reason'],
  ],
  'certificates without tls': [
    edit([7, door('listen: 0.0.0.0:3128, users: {certificate: ca.pem}')]),
    ['7:76 conflict doors[0].users'],
  ],
  'passwords off loopback, without tls': [
    edit([7, door('listen: 10.0.0.1:3128, users: {basic: users}')]),
    ['7:77 exposed doors[0].users'],
  ],
  'passwords off loopback, with tls': [edit([7, door('listen: 10.0.0.1:3128, tls: true, users: {basic: users}')]), []],
  'passwords on loopback, without tls': [edit([7, door('listen: "[::1]:3128", users: {basic: users}')]), []],
  'passwords at a reverse door': [
    edit(
      [7, '  - {name: a, on: egress, kind: reverse, listen: 127.0.0.1:443, users: {basic: users}}'],
      [9, '  regions: [us-east-1]\n  resolvers: [10.0.0.2]'],
    ),
    ['7:72 conflict doors[0].users'],
  ],
  'passwords at a sidecar': [
    edit([7, '  - {name: a, on: egress, kind: sidecar, listen: 127.0.0.1:443, users: {basic: users}}']),
    ['7:72 conflict doors[0].users'],
  ],
  'two ways to show who one is': [
    edit([7, door('listen: 127.0.0.1:1, tls: true, users: {certificate: ca.pem, basic: users}')]),
    ['7:108 unknown-key doors[0].users.basic'],
  ],
  'no way to show who one is': [
    edit([7, door('listen: 127.0.0.1:1, tls: true, users: {}')]),
    ['7:79 missing-key doors[0].users.certificate'],
  ],
  'a users file without a name': [
    edit([7, door('listen: 127.0.0.1:1, users: {basic: ""}')]),
    ['7:83 value doors[0].users.basic'],
  ],
  'from with host bits': [
    edit([7, door('listen: 127.0.0.1:3128, users: none, from: [10.0.0.1/8]')]),
    ['7:91 value doors[0].from[0]'],
  ],

  // Doors without a proxy
  'a reverse door with resolvers': [
    edit([7, direct('reverse', 'listen: 127.0.0.1:443, users: none')], [9, resolved]),
    [],
  ],
  'a reverse door without resolvers': [
    edit([7, direct('reverse', 'listen: 127.0.0.1:443, users: none')]),
    ['7:33 loop doors[0].kind'],
  ],
  'a reverse door with tls': [
    edit([7, direct('reverse', 'listen: 127.0.0.1:443, tls: true, users: none')], [9, resolved]),
    ['7:70 conflict doors[0].tls'],
  ],
  'a reverse door for certificates': [
    edit([7, direct('reverse', 'listen: 0.0.0.0:443, users: {certificate: ca.pem}')], [9, resolved]),
    [],
  ],
  'a reverse door for certificates that does not decrypt': [
    edit([7, direct('reverse', 'listen: 127.0.0.1:443, inspect: tunnel, users: {certificate: ca.pem}')], [9, resolved]),
    ['7:89 conflict doors[0].users'],
  ],
  'a reverse door without users off loopback': [
    edit([7, direct('reverse', 'listen: 10.0.0.5:443, users: none')], [9, resolved]),
    ['7:71 exposed doors[0].users'],
  ],
  'a reverse door on any address that decrypts': [
    edit([5, unaddressed], [7, direct('reverse', 'listen: 0.0.0.0:443, users: none, reason: r')], [9, resolved]),
    [],
  ],
  'a reverse door on any address that does not decrypt, with the addresses of its nodes': [
    edit([7, blind('"[::]:443"')], [9, resolved]),
    [],
  ],
  'a reverse door on any address that does not decrypt, without an address of a node': [
    edit([5, unaddressed], [7, blind('0.0.0.0:443')], [9, resolved]),
    ['7:50 loop doors[0].listen'],
  ],
  'a reverse door on any address that does not decrypt, with the name of a node': [
    edit([5, '    egress: [{id: egress-1, address: egress-1.example}]'], [7, blind('0.0.0.0:443')], [9, resolved]),
    ['7:50 loop doors[0].listen'],
  ],
  'a reverse door on any address that does not decrypt, on nodes by pattern': [
    edit([5, '    egress: {match: "e-*", max: 2}'], [7, blind('"[::]:443"')], [9, resolved]),
    ['7:50 loop doors[0].listen'],
  ],
  'a reverse door on one address that does not decrypt': [
    edit([5, unaddressed], [7, blind('10.0.0.5:443')], [9, resolved]),
    [],
  ],
  'a sidecar': [edit([7, direct('sidecar', 'listen: 127.0.0.1:15001, users: none')]), []],
  'a sidecar that tunnels': [edit([7, direct('sidecar', 'listen: "[::1]:15001", inspect: tunnel, users: none')]), []],
  'a sidecar off loopback': [
    edit([7, direct('sidecar', 'listen: 0.0.0.0:15001, users: none, reason: r')]),
    ['7:50 exposed doors[0].listen'],
  ],
  'a sidecar with tls': [
    edit([7, direct('sidecar', 'listen: 127.0.0.1:15001, users: none, tls: true')]),
    ['7:85 conflict doors[0].tls'],
  ],
  'a sidecar for certificates': [
    edit([7, direct('sidecar', 'listen: 127.0.0.1:15001, users: {certificate: ca.pem}')]),
    ['7:74 conflict doors[0].users'],
  ],
  'a forward door that tunnels': [edit([7, door('listen: 127.0.0.1:3128, inspect: tunnel, users: none')]), []],
  'a forward door that tunnels, for certificates': [
    edit([7, door('listen: 127.0.0.1:3128, inspect: tunnel, tls: true, users: {certificate: ca.pem}')]),
    [],
  ],
  'an unknown kind': [edit([7, direct('revers', 'listen: 127.0.0.1:443, users: none')]), ['7:33 value doors[0].kind']],

  // Console
  'an unknown region': [edit([9, '  regions: [us-eest-1]']), ['9:13 value console.regions[0]']],
  'no region': [edit([9, '  regions: []']), ['9:12 limit console.regions']],
  'an unknown partition': [
    edit([9, '  regions: [us-east-1]\n  partitions: [aws, azure]']),
    ['10:21 value console.partitions[1]'],
  ],
  'a region of another partition': [
    edit([9, '  regions: [us-east-1, cn-north-1]']),
    ['9:24 conflict console.regions[1]'],
  ],
  'hosts that are none': [
    edit([
      9,
      '  regions: [us-east-1]\n  also: ["*.com", "*.co.uk", "a.*.net", "https://a.net", a_b.net, 10.0.0.1, a.net., localhost]',
    ]),
    [
      '10:10 value console.also[0]',
      '10:19 value console.also[1]',
      '10:30 value console.also[2]',
      '10:41 value console.also[3]',
      '10:58 value console.also[4]',
      '10:67 value console.also[5]',
      '10:77 value console.also[6]',
      '10:85 value console.also[7]',
    ],
  ],
  'a resolver by name': [
    edit([9, '  regions: [us-east-1]\n  resolvers: [dns.example]']),
    ['10:15 value console.resolvers[0]'],
  ],
  'a pin for a host that is not let through': [
    edit([9, '  regions: [us-east-1]\n  pins: {x.example.com: [10.1.2.3]}']),
    ['10:10 conflict console.pins["x.example.com"]'],
  ],
  'a pin for a wildcard of the list': [
    edit([9, '  regions: [us-east-1]\n  pins: {"*.console.aws.amazon.com": [10.1.2.3]}']),
    [],
  ],
  'pins to a door': [
    edit([
      9,
      '  regions: [us-east-1]\n  pins: {console.aws.amazon.com: [127.0.0.9:3128, 10.0.0.5:3128, 0.0.0.0:3128, 127.0.0.1:3129, 10.0.0.6:3128]}',
    ]),
    [
      '10:35 loop console.pins["console.aws.amazon.com"][0]',
      '10:51 loop console.pins["console.aws.amazon.com"][1]',
      '10:66 loop console.pins["console.aws.amazon.com"][2]',
    ],
  ],

  // Files
  'a file that is not there': [edit([9, '  regions: [us-east-1]\n  trust: gone.pem']), ['10:10 file console.trust']],
  'a file without certificates': [edit([9, '  regions: [us-east-1]\n  trust: text.pem']), ['10:10 file console.trust']],
  'a file with a broken certificate': [
    edit([9, '  regions: [us-east-1]\n  trust: broken.pem']),
    ['10:10 file console.trust'],
  ],
  'a file with a private key': [edit([9, '  regions: [us-east-1]\n  trust: key.pem']), ['10:10 file console.trust']],
  'a trust anchor that is no authority': [edit([9, '  regions: [us-east-1]\n  trust: leaf.pem']), []],
  'people signed by what is no authority': [
    edit([7, door('listen: 127.0.0.1:1, tls: true, users: {certificate: leaf.pem}')]),
    ['7:100 file doors[0].users.certificate'],
  ],

  'a users file that is not there': [
    edit([7, door('listen: 127.0.0.1:1, users: {basic: gone}')]),
    ['7:83 file doors[0].users.basic'],
  ],
  'a users file with bad lines, at its own lines': [
    edit([7, door('listen: 127.0.0.1:1, users: {basic: bad.users}')]),
    ['2:1 file doors[0].users.basic', '4:1 file doors[0].users.basic'],
  ],
  'a users file with bad lines, that two doors use': [
    edit([
      7,
      `${door('listen: 127.0.0.1:1, users: {basic: bad.users}')}\n  - {name: b, on: egress, kind: forward, listen: 127.0.0.1:2, users: {basic: bad.users}}`,
    ]),
    ['2:1 file doors[0].users.basic', '4:1 file doors[0].users.basic'],
  ],
  'a users file that is one of certificates': [
    edit([7, door('listen: 127.0.0.1:1, users: {basic: text.pem}')]),
    ['1:1 file doors[0].users.basic'],
  ],

  // Server
  'an address twice': [edit([0, 'server: {admin: 127.0.0.1:18000}']), ['11:17 overlap server.admin']],
  'any address of both families': [edit([0, 'server: {public: "[::]:18080"}']), ['11:18 overlap server.public']],
  'grpc on any address': [
    edit([0, 'server: {grpc: {listen: 0.0.0.0:18000}}']),
    ['11:25 missing-key server.grpc.listen'],
  ],
  'grpc on any address, with its name': [
    edit([0, 'server: {grpc: {listen: 0.0.0.0:18000, address: s.corp.example:18000}}']),
    [],
  ],
  'several control planes': [
    edit([0, 'server: {grpc: {listen: 0.0.0.0:18000, address: [a.example:18000, b.example:18000]}}']),
    [],
  ],
  'a control plane twice': [
    edit([0, 'server: {grpc: {address: [a.example:18000, b.example:18000, A.example:18000]}}']),
    ['11:61 overlap server.grpc.address[2]'],
  ],
  'no control plane': [edit([0, 'server: {grpc: {address: []}}']), ['11:26 limit server.grpc.address']],
  'a control plane that is no address': [
    edit([0, 'server: {grpc: {address: [a.example:18000, b.example]}}']),
    ['11:44 value server.grpc.address[1]'],
  ],
  'public off loopback': [edit([0, 'server: {public: 0.0.0.0:18081}']), []],

  // Not built yet
  'an unknown assurance': [edit([10, 'record: {assurance: steam}']), ['10:21 value record.assurance']],
  'sections to come': [
    edit([10, 'record: {assurance: stream, retention: 400d}\naws: {}\naccess: {}\nserver: {access: {}}']),
    [
      '10:29 not-built record.retention',
      '11:1 not-built aws',
      '12:1 not-built access',
      '13:10 not-built server.access',
    ],
  ],
  'admin off loopback': [edit([0, 'server: {admin: 10.0.0.1:18080}']), ['11:17 not-built server.admin']],

  // Records
  'assurance gate': [edit([10, 'record: {assurance: gate}']), []],
  'assurance receipt': [edit([10, 'record: {assurance: receipt}']), []],
  'no assurance': [edit([10, 'record: {}']), []],
  'no record': [edit([10, '']), []],
  'the most time between two records of a connection': [edit([10, 'record: {assurance: stream, periodic: 60m}']), []],
  'less time between them than Envoy waits before it sends any': [
    edit([10, 'record: {assurance: stream, periodic: 0s}']),
    ['10:39 value record.periodic'],
  ],
  'so much that the connection has ended before': [
    edit([10, 'record: {assurance: stream, periodic: 61m}']),
    ['10:39 value record.periodic'],
  ],

  'limits of refusals': [edit([10, 'record: {assurance: stream, refusals: {burst: 1, rate: 1, tally: 10m}}']), []],
  'limits under which no refusal would be a record, or which are none': [
    edit([10, 'record: {assurance: stream, refusals: {burst: 0, rate: 100001, tally: 11m}}']),
    ['10:47 limit record.refusals.burst', '10:56 limit record.refusals.rate', '10:71 value record.refusals.tally'],
  ],

  // Outputs
  'an output of JSON lines': [edit([0, 'outputs: [{kind: jsonl, dir: out}]']), []],
  'an output of a kind that nobody knows': [
    edit([0, 'outputs:\n  - {kind: jsonl, dir: out}\n  - {kind: pigeon, dir: roof}']),
    ['13:12 value outputs[1].kind'],
  ],
  'an output without a folder': [edit([0, 'outputs: [{kind: jsonl}]']), ['11:11 missing-key outputs[0].dir']],
  'two outputs into one folder, however it is written': [
    edit([0, 'outputs:\n  - {kind: jsonl, dir: out}\n  - {kind: jsonl, dir: /etc/sekisho/./out}']),
    ['13:24 duplicate outputs[1].dir'],
  ],
  'a rotation out of bounds': [
    edit([0, 'outputs: [{kind: jsonl, dir: out, rotate: {bytes: 1, age: 9s}}]']),
    ['11:51 limit outputs[0].rotate.bytes', '11:59 value outputs[0].rotate.age'],
  ],
  'an age that is no duration': [
    edit([0, 'outputs: [{kind: jsonl, dir: out, rotate: {age: soon}}]']),
    ['11:49 value outputs[0].rotate.age'],
  ],
  'too many outputs': [
    edit([0, `outputs: [${Array.from({ length: 9 }, (_, i) => `{kind: jsonl, dir: o${i}}`).join(', ')}]`]),
    ['11:10 limit outputs'],
  ],

  // Rollout
  'a canary by name, and one that a pattern admits': [
    edit(
      [5, '    egress: [{id: egress-1, address: 10.0.0.5}]\n    host: {match: "host-*", max: 9}'],
      [0, 'rollout: {canary: [egress-1, host-7], soak: 10m}'],
    ),
    [],
  ],
  'a share as canary': [edit([0, 'rollout: {canary: 10%}']), []],
  'no canary': [edit([0, 'rollout: {soak: 60s}']), ['11:1 missing-key rollout.canary']],
  'an empty list of canaries': [edit([0, 'rollout: {canary: []}']), ['11:19 limit rollout.canary']],
  'a share of nobody': [edit([0, 'rollout: {canary: 0%}']), ['11:19 value rollout.canary']],
  'a share of everybody': [edit([0, 'rollout: {canary: 100%}']), ['11:19 value rollout.canary']],
  'a number for a canary': [edit([0, 'rollout: {canary: 10}']), ['11:19 type rollout.canary']],
  'a canary that the fleet does not have': [
    edit([0, 'rollout: {canary: [egress-1, egress-2]}']),
    ['11:30 unknown-name rollout.canary[1]'],
  ],
  'a canary twice': [edit([0, 'rollout: {canary: [egress-1, egress-1]}']), ['11:30 duplicate rollout.canary[1]']],
  'a soak of no time': [edit([0, 'rollout: {canary: 10%, soak: 0s}']), ['11:30 value rollout.soak']],

  // All at once
  'problems of every kind in one run': [
    edit(
      [2, '  name: Tokyo\n  name: osaka'],
      [3, '  egress: [10.0.0.0/8, 51.44.71.80]\n  egres: 1'],
      [7, two('127.0.0.1:1', '127.0.0.1:1')],
      [9, '  trust: gone.pem'],
      [10, ''],
    ),
    [
      '3:3 yaml ',
      '4:12 value fleet.egress[0]',
      '5:3 unknown-key fleet.egres',
      '10:74 overlap doors[1].listen',
      '11:1 missing-key console.regions',
      '12:10 file console.trust',
    ],
  ],
};

for (const [name, [text, expected]] of Object.entries(cases)) {
  test(`problems of: ${name}`, async () => {
    const found = (await problemsOf(text)).map(({ line, column, code, path }) => `${line}:${column} ${code} ${path}`);
    assert.deepEqual(found, expected);
  });
}

test('a problem reads FILE:LINE:COL: message — what to do', async () => {
  const [problem] = await problemsOf(edit([2, '  name: tokyo\n  egres: []']));
  assert.ok(problem);
  assert.match(formatProblem(problem), /^\/etc\/sekisho\/sekisho\.yaml:3:3: [^\n]+egres[^\n]+ — [^\n]*egress/);
});

test('every problem says what to do, in one line', async () => {
  for (const [text] of Object.values(cases)) {
    for (const problem of await problemsOf(text)) {
      assert.notEqual(problem.message, '');
      assert.notEqual(problem.remedy, '');
      assert.doesNotMatch(formatProblem(problem), /\n|undefined|\[object/);
    }
  }
});

test('texts that are hard on the parser are problems, and soon', { timeout: 20_000 }, async () => {
  for (const piece of ['? ', '- ', '{a: ', '}\n', 'a: 1\n', '---\n', 'a: &a 1\nb: *a\n']) {
    assert.ok((await problemsOf(piece.repeat(5000))).length > 0, piece);
  }
});

test('brackets without end are one problem of YAML, not a crash', async () => {
  const found = await problemsOf('['.repeat(20_000));
  assert.equal(found.filter(({ code }) => code === 'yaml').length, 1);
});

test('a file of more than 1 MiB is refused before it is parsed', async () => {
  const found = await problemsOf(`#${'x'.repeat(1024 * 1024)}\n`);
  assert.deepEqual(
    found.map(({ code }) => code),
    ['limit'],
  );
});

test('ten thousand nodes load', async () => {
  const nodes = Array.from({ length: 10_000 }, (_, index) => `{id: node-${index}}`).join(', ');
  const policy = await policyOf(edit([5, `    egress: [${nodes}]`]));
  assert.equal(policy.fleet.groups[0]?.nodes.length, 10_000);
});

test('what the policy leaves out has its default', async () => {
  assert.deepEqual(await policyOf(edit()), {
    file: '/etc/sekisho/sekisho.yaml',
    sha256: createHash('sha256').update(edit()).digest('hex'),
    source: { text: edit(), files: new Map(), folders: new Map() },
    fleet: {
      name: 'tokyo',
      egress: ['51.44.71.80/32'],
      groups: [{ name: 'egress', nodes: [{ id: 'egress-1', address: '10.0.0.5' }] }],
    },
    doors: [
      {
        name: 'office',
        on: 'egress',
        kind: 'forward',
        inspect: 'full',
        listen: { host: '127.0.0.1', port: 3128 },
        from: [],
        tls: false,
        users: { kind: 'none' },
      },
    ],
    console: { partitions: ['aws'], regions: ['us-east-1'], also: [], resolvers: [], pins: [] },
    record: {
      assurance: 'stream',
      redactQuery: [],
      periodicSeconds: 60,
      refusals: { burst: 100, rate: 60, tallySeconds: 60 },
    },
    outputs: [],
    resources: [],
    server: {
      grpc: { listen: { host: '127.0.0.1', port: 18000 }, addresses: [{ host: '127.0.0.1', port: 18000 }] },
      admin: { host: '127.0.0.1', port: 18080 },
      public: { host: '127.0.0.1', port: 18081 },
    },
  });
});

test('a policy keeps the text that it was read from and the certificates, but nothing of the users files', async () => {
  const text = edit(
    [6, 'doors:\n  - {name: a, on: egress, kind: forward, listen: 127.0.0.1:1, users: {basic: users}}'],
    [9, '  regions: [us-east-1]\n  trust: ca.pem'],
  );
  const { source } = await policyOf(text);
  assert.equal(source.text, text);
  assert.deepEqual([...source.files.keys()], ['ca.pem']);
  assert.doesNotMatch(JSON.stringify([...source.files]), /scrypt/);
});

for (const [written, rules] of [
  ['{canary: [egress-1], soak: 2m}', { canary: { nodes: ['egress-1'] }, soakSeconds: 120 }],
  ['{canary: 5%}', { canary: { percent: 5 }, soakSeconds: 60 }],
] as const) {
  test(`rollout: ${written} is read`, async () => {
    assert.deepEqual((await policyOf(edit([0, `rollout: ${written}`]))).rollout, rules);
  });
}

test('values come out in their canonical form', async () => {
  const policy = await policyOf(
    edit(
      [3, '  egress: [51.44.71.80, "2A05:D000:0:0::/32"]'],
      [5, '    egress: [{id: a.b, address: A.Example, source: "2A05:0::1"}]\n    host: {match: "host-*", max: 5}'],
      [7, door('listen: "[0:0::1]:3128", from: [10.0.0.0/8, ::1], tls: true, users: {certificate: ca.pem}')],
      [
        9,
        '  regions: [us-east-1]\n  also: [A.Example.com]\n  resolvers: [10.0.0.2, "[::1]:5353"]\n  pins: {Console.AWS.amazon.com: ["127.0.0.1:8443", 10.1.2.3]}\n  trust: leaf.pem',
      ],
      [10, 'record: {assurance: stream, redact: {query: [Code]}}'],
      [0, 'server: {grpc: {address: Sekisho.Example:1}}'],
    ),
  );
  assert.deepEqual(policy.fleet.egress, ['51.44.71.80/32', '2a05:d000::/32']);
  assert.deepEqual(policy.fleet.groups, [
    { name: 'egress', nodes: [{ id: 'a.b', address: 'a.example', source: '2a05::1' }] },
    { name: 'host', nodes: [], pattern: { match: 'host-*', max: 5 } },
  ]);
  const [office] = policy.doors;
  assert.deepEqual(office?.listen, { host: '::1', port: 3128 });
  assert.deepEqual(office.from, ['10.0.0.0/8', '::1/128']);
  assert.deepEqual(office.users, { kind: 'certificate', authorities: authority });
  assert.deepEqual(policy.console, {
    partitions: ['aws'],
    regions: ['us-east-1'],
    also: ['a.example.com'],
    resolvers: [
      { host: '10.0.0.2', port: 53 },
      { host: '::1', port: 5353 },
    ],
    pins: [
      {
        host: 'console.aws.amazon.com',
        endpoints: [
          { host: '127.0.0.1', port: 8443 },
          { host: '10.1.2.3', port: 443 },
        ],
      },
    ],
    trust: leaf,
  });
  assert.deepEqual(policy.record.redactQuery, ['code']);
  assert.deepEqual(policy.server.grpc.addresses, [{ host: 'sekisho.example', port: 1 }]);
});

test('the people of a door come out of its users file', async () => {
  const policy = await policyOf(edit([7, door('listen: 127.0.0.1:1, users: {basic: users}')]));
  assert.deepEqual(policy.doors[0]?.users, {
    kind: 'basic',
    accounts: new Map([['taro', { cost: { ln: 15, r: 8, p: 1 }, salt: new Uint8Array(16), hash: new Uint8Array(32) }]]),
  });
});

test('a problem of a users file names that file and its line, and no part of a password', async () => {
  const [problem, ...others] = await problemsOf(edit([7, door('listen: 127.0.0.1:1, users: {basic: bad.users}')]));
  assert.ok(problem);
  assert.match(formatProblem(problem), /^\/etc\/sekisho\/bad\.users:2:1: /);
  assert.doesNotMatch([problem, ...others].map(formatProblem).join('\n'), /plain-secret|AAAA|ln=15/);
});

test('the files that a policy names are told, whether it is good or not', async () => {
  const doors = [7, door('listen: 127.0.0.1:1, tls: true, users: {certificate: ca.pem}')] as const;
  const trust = [9, '  regions: [us-east-1]\n  trust: leaf.pem'] as const;
  const files = ['/etc/sekisho/ca.pem', '/etc/sekisho/leaf.pem'];
  assert.deepEqual((await load(edit(doors, trust))).files, files);
  assert.deepEqual((await load(edit([2, '  name: Tokyo'], doors, trust))).files, files);
});

test('an anchor may stand for a value in several places', async () => {
  const policy = await policyOf(
    edit([3, '  egress: &net [51.44.71.80/32]'], [7, door('listen: 127.0.0.1:1, users: none, from: *net')]),
  );
  assert.deepEqual(policy.doors[0]?.from, ['51.44.71.80/32']);
});

test('a duration out of bounds is told with its bounds, each in its own unit', async () => {
  const [problem = assert.fail()] = await problemsOf(edit([10, 'record: {assurance: stream, periodic: 2h}']));
  assert.equal(problem.message, '"2h" is not within 1s and 1h');
});

test('an output knows its folder, and when to rotate if it was not told', async () => {
  const { outputs } = await policyOf(
    edit([0, 'outputs: [{kind: jsonl, dir: out}, {kind: jsonl, dir: /srv/log, rotate: {bytes: 65536, age: 2d}}]']),
  );
  assert.deepEqual(outputs, [
    { kind: 'jsonl', dir: '/etc/sekisho/out', rotate: { bytes: 104_857_600, seconds: 3600 } },
    { kind: 'jsonl', dir: '/srv/log', rotate: { bytes: 65_536, seconds: 172_800 } },
  ]);
});
