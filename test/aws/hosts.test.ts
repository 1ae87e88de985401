import { test } from 'node:test';
import assert from 'node:assert/strict';
import { hostSources, partitionOf, partitions } from '../../src/aws/host-data.ts';
import { parseHostPattern } from '../../src/aws/host-pattern.ts';
import { certificateNames, constraintNames, consoleHosts, hostAdmitted } from '../../src/aws/hosts.ts';
import { assertGenerated, between, table } from '../support/generated.ts';

const everything = {
  partitions: partitions.map(({ name }) => name),
  regions: partitions.flatMap(({ regions }) => regions),
};

test('each partition has its console and sign-in', () => {
  const expected: Readonly<Record<string, readonly string[]>> = {
    aws: [
      'console.aws.amazon.com',
      'signin.aws.amazon.com',
      'x.us-east-1.console.aws.amazon.com',
      'us-east-1.signin.aws',
    ],
    'aws-cn': ['console.amazonaws.cn', 'signin.amazonaws.cn', 'x.cn-north-1.console.amazonaws.cn'],
    'aws-us-gov': [
      'console.amazonaws-us-gov.com',
      'signin.amazonaws-us-gov.com',
      'x.us-gov-west-1.console.amazonaws-us-gov.com',
    ],
    'aws-eusc': ['eusc-de-east-1.console.amazonaws-eusc.eu', 'eusc-de-east-1.signin.amazonaws-eusc.eu'],
  };
  for (const { name, home } of partitions) {
    const { admitted } = consoleHosts({ partitions: [name], regions: [home], also: [] });
    for (const host of expected[name] ?? assert.fail(name)) assert.ok(hostAdmitted(admitted, host), host);
  }
});

test('the home region is there whatever regions are chosen', () => {
  const { admitted } = consoleHosts({ partitions: ['aws'], regions: ['eu-west-1'], also: [] });
  assert.ok(hostAdmitted(admitted, 'x.us-east-1.console.aws.amazon.com'));
  assert.ok(hostAdmitted(admitted, 'x.eu-west-1.console.aws.amazon.com'));
});

test('a region of another partition brings nothing', () => {
  const without = consoleHosts({ partitions: ['aws'], regions: ['us-east-1'], also: [] });
  assert.deepEqual(consoleHosts({ partitions: ['aws'], regions: ['us-east-1', 'cn-north-1'], also: [] }), without);
});

test('suffixes that belong to everybody are let through only if the policy names them', () => {
  const without = consoleHosts({ ...everything, also: [] });
  for (const pattern of [
    '*.cloudfront.net',
    '*.amazonaws.com',
    '*.amazonaws.com.cn',
    '*.amazonaws.eu',
    '*.awsapps.com',
  ]) {
    assert.ok(!without.admitted.includes(pattern), pattern);
    assert.ok(
      without.named.some((host) => host.pattern === pattern),
      pattern,
    );
    const named = consoleHosts({ ...everything, also: [pattern] });
    assert.ok(named.admitted.includes(pattern), pattern);
    assert.ok(!named.named.some((host) => host.pattern === pattern), pattern);
  }
});

test('what the policy names comes in lower case, once', () => {
  const { admitted } = consoleHosts({ partitions: ['aws'], regions: [], also: ['A.Example.com', 'a.example.com'] });
  assert.equal(admitted.filter((pattern) => pattern === 'a.example.com').length, 1);
  assert.deepEqual(admitted, [...new Set(admitted)].sort());
});

test('the data is in order: known sources, dates, names that parse, no name twice', () => {
  for (const { name, home, regions, hosts } of partitions) {
    assert.ok(regions.includes(home), name);
    assert.equal(new Set(regions).size, regions.length);
    assert.equal(new Set(hosts.map(({ pattern }) => pattern)).size, hosts.length, name);
    for (const { pattern, treatment, source, date, purpose } of hosts) {
      assert.ok(source in hostSources, `${pattern}: ${source}`);
      assert.match(date, /^20\d\d-(0[1-9]|1[0-2])$/);
      assert.notEqual(purpose, '');
      assert.ok('pattern' in parseHostPattern(pattern.replaceAll('{region}', home)), pattern);
      // An open suffix can only be admitted as a wildcard.
      if (treatment === 'one-label') assert.ok(pattern.startsWith('*.'), pattern);
    }
  }
});

test('every source is used', () => {
  const used = new Set(partitions.flatMap(({ hosts }) => hosts.map(({ source }) => source)));
  for (const source of Object.keys(hostSources)) assert.ok(used.has(source) || source === 'partition-metadata', source);
});

test('a region belongs to one partition', () => {
  assert.equal(partitionOf('us-gov-west-1')?.name, 'aws-us-gov');
  assert.equal(partitionOf('mars-north-1'), undefined);
  assert.equal(new Set(everything.regions).size, everything.regions.length);
});

test('docs/console-hosts.md tells every host with its treatment, and how many names there are', async () => {
  await assertGenerated('docs/console-hosts.md', (now) =>
    between(between(between(now, 'counts', counts()), 'hosts', hostTables()), 'sources', sources()),
  );
});

function counts(): string {
  const aws = partitions[0]?.regions ?? [];
  const rows = [
    row('`aws`, 1 region (us-east-1)', ['aws'], ['us-east-1']),
    row('`aws`, 2 regions', ['aws'], ['us-east-1', 'ap-northeast-1']),
    row(`\`aws\`, all ${aws.length} regions`, ['aws'], aws),
    row(`all partitions, all ${everything.regions.length} regions`, everything.partitions, everything.regions),
  ];
  return table(['choice', 'names', 'bytes', 'name constraints'], rows);
}

function row(what: string, chosen: readonly string[], regions: readonly string[]): string[] {
  const { admitted } = consoleHosts({ partitions: chosen, regions, also: [] });
  const names = certificateNames(admitted);
  const bytes = names.join('').length + 2 * names.length;
  return [what, String(names.length), String(bytes), String(constraintNames(admitted).length)];
}

function hostTables(): string {
  return partitions
    .map(({ name, home, regions, hosts }) => {
      const rows = hosts.map((host) => [`\`${host.pattern}\``, host.treatment, host.purpose, host.source, host.date]);
      const list = `Home region ${home}; regions: ${regions.join(', ')}.`;
      return `### ${name}\n\n${list}\n\n${table(['host', 'treatment', 'purpose', 'source', 'date'], rows)}`;
    })
    .join('\n\n');
}

function sources(): string {
  const rows = Object.entries(hostSources).map(([key, { title, url, date, evidence }]) => [
    key,
    title,
    url,
    date,
    evidence,
  ]);
  return table(['source', 'title', 'address', 'date', 'evidence'], rows);
}
