import assert from 'node:assert/strict';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { alsMessage, consoleRequest, httpEntry } from '../sink/record/entries.ts';
import { dial, makeHome, openAls, spawnServe, startServe, type Home } from '../support/serve.ts';
import { usersLine } from '../support/users-line.ts';

const bad: readonly (readonly [what: string, text: string | undefined, said: RegExp])[] = [
  ['that is not there', undefined, /sekisho\.yaml:\d+:\d+: .*users/],
  ['with a password in plain text', 'hanako:written-in-plain\n', /users:1:\d+: /],
  ['with the same name twice', 'twice', /users:2:\d+: /],
];

for (const [what, text, said] of bad) {
  test(`a users file ${what} is named at the start, exit 1, and nothing of it is repeated`, async (t) => {
    const { home, users } = await homeWithUsers(t);
    const line = await usersLine('hanako', 'secret');
    if (text === undefined) await rm(users);
    else await writeFile(users, text === 'twice' ? line + line : text);
    const served = spawnServe(t, home);
    assert.equal(await served.exited, 1);
    const words = served.words.join('\n');
    assert.match(words, said);
    assert.doesNotMatch(words, /written-in-plain|\$scrypt/);
    assert.doesNotMatch(words, /at .*\.js/);
  });

  test(`a users file ${what} changes nothing at a reload, and the sink goes on`, async (t) => {
    const { home, users } = await homeWithUsers(t);
    const served = await startServe(t, home);
    const good = await readFile(users, 'utf8');
    if (text === undefined) await rm(users);
    else await writeFile(users, text === 'twice' ? good + good : text);
    await served.logged('the last good one holds');
    assert.match((await served.logged('users')).message, said);
    assert.equal((await served.readyz()).status, 200);
    const als = openAls(dial(t, `${home.address}:18000`));
    const identifier = { node: { id: 'egress-1' }, log_name: 'office/http' };
    als.call.end(alsMessage({ identifier, http: [httpEntry(consoleRequest())] }));
    assert.equal(await als.ended, undefined);
    const from = served.lines.length;
    await writeFile(users, good);
    await served.logged('policy reloaded', from);
    assert.doesNotMatch(JSON.stringify(served.lines), /written-in-plain|\$scrypt/);
  });
}

async function homeWithUsers(t: TestContext): Promise<{ home: Home; users: string }> {
  const home = await makeHome(t);
  const users = join(home.folder, 'users');
  await writeFile(users, await usersLine('hanako', 'secret'), { mode: 0o600 });
  const text = await readFile(home.config, 'utf8');
  await writeFile(home.config, text.replace('users: none', 'users: { basic: users }'));
  return { home, users };
}
