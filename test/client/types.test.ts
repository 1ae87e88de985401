import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';

/** A program of somebody else, who has the package and not its sources. */
const program = `
import { connectRecords, SekishoError, type Found, type NamedRecord } from 'sekisho/client';
const records = connectRecords({ address: '127.0.0.1:18000', tls: { ca: '', key: '', certificate: '' } });
for await (const found of records.query({ user: 'taro', limit: 3 })) {
  const index: number = found.index;
  if (found.kind === 'record') {
    const record: NamedRecord = found.record;
    const none: undefined = found.payload;
    void [index, record, none];
  } else {
    const lost: number = found.lost;
    void lost;
  }
}
for await (const found of records.tail({ from: 0, form: 'payload' })) {
  const one: Found<'payload'> = found;
  if (one.kind === 'record') new Uint8Array(one.payload);
  // @ts-expect-error -- a tail of payloads has no names
  if (one.kind === 'record') one.record['time'];
}
// @ts-expect-error -- an address is needed
connectRecords({});
// @ts-expect-error -- nobody asks for colours
records.query({ colour: 'blue' });
try { records.close(); } catch (caught) { if (caught instanceof SekishoError) void caught.code; }
`;

test('sekisho/client has types for a program that has the package alone', async (t) => {
  const folder = join('coverage', 'client-types');
  await mkdir(folder, { recursive: true });
  t.after(() => rm(folder, { recursive: true }));
  const file = join(folder, 'program.mts');
  await writeFile(file, program);
  const options = [
    '--ignoreConfig',
    '--noEmit',
    '--strict',
    '--target',
    'es2023',
    '--module',
    'nodenext',
    '--types',
    'node',
  ];
  const ran = await promisify(execFile)('node_modules/.bin/tsc', [...options, file]).catch((caught: unknown) => caught);
  assert.ok(typeof ran === 'object' && ran !== null && 'stdout' in ran);
  assert.equal(ran.stdout, '');
});
