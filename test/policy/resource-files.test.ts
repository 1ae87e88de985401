import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatProblem } from '../../src/policy/load.ts';
import { limits } from '../../src/policy/limits.ts';
import { loadWith, policyWith, resourcesLine } from '../support/extra-files.ts';

const cluster = (name: string) => `"@type": type.googleapis.com/envoy.config.cluster.v3.Cluster\nname: ${name}\n`;
const files: Readonly<Record<string, string>> = {
  '/etc/sekisho/extra/a.yaml': cluster('a'),
  '/etc/sekisho/extra/b.yaml': `---\n${cluster('b')}---\n${cluster('c')}---\n`,
  '/etc/sekisho/extra/.b.yaml': 'half writ',
  '/etc/sekisho/extra/notes.txt': 'notes',
  '/etc/sekisho/extra/deep/d.yaml': cluster('deep'),
  '/etc/sekisho/list.yaml': `version_info: "1"\nresources:\n- ${cluster('d').replaceAll('\n', '\n  ')}\n- ${cluster('e').replaceAll('\n', '\n  ')}\n`,
  '/etc/sekisho/list.json': `{"resources": [{"@type": "x", "name": "j"}]}`,
  '/etc/sekisho/broken.yaml': `${cluster('x')}---\nname: [\n---\n${cluster('y')}`,
  '/etc/sekisho/twice.yaml': `${cluster('x')}name: y\n`,
  '/etc/sekisho/empty.yaml': '# nothing\n---\n',
  '/etc/sekisho/text.yaml': 'only text\n',
  '/etc/sekisho/texts.yaml': 'resources: [one, {}]\n',
  '/etc/sekisho/no-list.yaml': 'resources: {}\n',
  '/etc/sekisho/strange.yaml': 'resources: []\nresource: []\n',
  '/etc/sekisho/many.yaml': '---\na: 1\n'.repeat(limits.resources + 1),
  '/etc/sekisho/large.yaml': ' '.repeat(limits.resourceBytes + 1),
  '/srv/x.yaml': cluster('srv'),
};
const at = (column: number, rest: string) => `sekisho.yaml:${resourcesLine}:${column} ${rest}`;

/** name → what stands behind `resources:`, names of the resources that come of it. */
const good: Readonly<Record<string, readonly [string, readonly string[]]>> = {
  'no entry': ['[]', []],
  'a file': ['[extra/a.yaml]', ['a']],
  'a pattern, without what is hidden': ['[extra/*.yaml]', ['a', 'b', 'c']],
  'a pattern of a folder': ['["extra/d*/*.yaml"]', ['deep']],
  'a list, as in the files of Envoy': ['[list.yaml]', ['d', 'e']],
  JSON: ['[list.json]', ['j']],
  'an absolute path': ['[/srv/x.yaml]', ['srv']],
  'entries in their order': ['[list.yaml, {files: [/srv/*.yaml, extra/a.yaml]}]', ['d', 'e', 'srv', 'a']],
};
for (const [name, [entries, expected]] of Object.entries(good)) {
  test(`resources of ${name}`, async () => {
    const loaded = await loadWith(policyWith(entries), files);
    assert.ok('policy' in loaded, JSON.stringify(loaded));
    assert.deepEqual(
      loaded.policy.resources.map(({ json }) => json['name']),
      expected,
    );
  });
}

/** name → what stands behind `resources:`, problems as `FILE:LINE:COLUMN code path`. */
const bad: Readonly<Record<string, readonly [string, readonly string[]]>> = {
  'no list': ['extra/a.yaml', [at(12, 'type resources')]],
  'a number': ['[7]', [at(13, 'type resources[0]')]],
  'an unknown key': ['[{files: [extra/a.yaml], unrecoded: x}]', [at(37, 'unknown-key resources[0].unrecoded')]],
  'no files': ['[{on: egress}]', [at(13, 'missing-key resources[0].files')]],
  'an empty list of files': ['[{files: []}]', [at(21, 'limit resources[0].files')]],
  'an empty reason': ['[{files: [extra/a.yaml], unrecorded: ""}]', [at(49, 'value resources[0].unrecorded')]],
  'a group that there is not': ['[{files: [extra/a.yaml], on: egres}]', [at(41, 'unknown-name resources[0].on')]],
  'a file that is not there': ['[gone.yaml]', [at(13, 'file resources[0]')]],
  'a pattern that nothing fits': ['[extra/a.yaml, "*.yml"]', [at(27, 'file resources[1]')]],
  'a pattern of a folder that is not there': ['[{files: ["gone/*"]}]', [at(22, 'file resources[0].files[0]')]],
  'a pattern through folders': ['["extra/**"]', [at(13, 'value resources[0]')]],
  'a file that two entries name': ['["extra/*.yaml", extra/a.yaml]', [at(29, 'duplicate resources[1]')]],
  'a file that is too large': ['[large.yaml]', [at(13, 'file resources[0]')]],
  'broken YAML in the middle': ['[broken.yaml]', ['broken.yaml:5:1 yaml resources[0]']],
  'a key twice': ['[twice.yaml]', ['twice.yaml:3:1 yaml resources[0]']],
  'a file without a resource': ['[empty.yaml]', ['empty.yaml:1:1 file resources[0]']],
  text: ['[text.yaml]', ['text.yaml:1:1 type resources[0]']],
  'a list with text in it': ['[texts.yaml]', ['texts.yaml:1:13 type resources[0]']],
  'a map where the list belongs': ['[no-list.yaml]', ['no-list.yaml:1:12 type resources[0]']],
  'a key beside the list': ['[strange.yaml]', ['strange.yaml:2:1 unknown-key resources[0]']],
  'too many documents': ['[many.yaml]', ['many.yaml:2:1 limit resources[0]']],
  'two files, each with its own mistake': [
    '[text.yaml, twice.yaml]',
    ['text.yaml:1:1 type resources[0]', 'twice.yaml:3:1 yaml resources[1]'],
  ],
};
for (const [name, [entries, expected]] of Object.entries(bad)) {
  test(`problems of resources with ${name}`, async () => {
    const loaded = await loadWith(policyWith(entries), files);
    assert.ok('problems' in loaded);
    const found = loaded.problems.map(({ file, line, column, code, path }) => {
      return `${file.replace('/etc/sekisho/', '')}:${line}:${column} ${code} ${path}`;
    });
    assert.deepEqual(found, expected);
    for (const problem of loaded.problems) assert.doesNotMatch(formatProblem(problem), /\n|undefined|\[object/);
  });
}

test('what an entry says holds for each resource of its files, and each knows where its fields stand', async () => {
  const entries = '[extra/a.yaml, {files: [list.yaml], on: egress, unrecorded: "why not"}]';
  const loaded = await loadWith(policyWith(entries), files);
  assert.ok('policy' in loaded);
  const told = loaded.policy.resources.map(({ on, unrecorded, place }) => [on, unrecorded, place(['name'], 'value')]);
  assert.deepEqual(told, [
    [undefined, undefined, { file: '/etc/sekisho/extra/a.yaml', line: 2, column: 7 }],
    ['egress', 'why not', { file: '/etc/sekisho/list.yaml', line: 4, column: 9 }],
    ['egress', 'why not', { file: '/etc/sekisho/list.yaml', line: 7, column: 9 }],
  ]);
});

test('the files of resources are told, and the folders in which another could come to fit, whether they are good or not', async () => {
  const named = (entries: string) => loadWith(policyWith(entries), files).then((loaded) => loaded.files);
  assert.deepEqual(await named('["extra/*.yaml", text.yaml]'), [
    '/etc/sekisho/extra',
    '/etc/sekisho/extra/a.yaml',
    '/etc/sekisho/extra/b.yaml',
    '/etc/sekisho/text.yaml',
  ]);
  assert.deepEqual(await named('["gone/*.yaml", gone.yaml]'), ['/etc/sekisho/gone', '/etc/sekisho/gone.yaml']);
});

test('more files and more resources than a policy may bring are refused', async () => {
  const number = limits.resourceFiles + 1;
  const numbered = Array.from({ length: number }, (_, i) => [`/etc/sekisho/n/${i}.yaml`, cluster(`n${i}`)]);
  const tooManyFiles = await loadWith(
    policyWith('["n/*.yaml"]'),
    Object.fromEntries(numbered) as Record<string, string>,
  );
  const full = `---\n${cluster('x')}`.repeat(limits.resources);
  const tooMany = await loadWith(policyWith('[full.yaml, extra/a.yaml]'), { ...files, '/etc/sekisho/full.yaml': full });
  for (const loaded of [tooManyFiles, tooMany]) {
    assert.deepEqual('problems' in loaded && loaded.problems.map(({ code }) => code), ['limit']);
  }
});
