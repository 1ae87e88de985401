import assert from 'node:assert/strict';
import { PassThrough, Readable } from 'node:stream';
import { it } from 'node:test';
import { bodyWithin } from '../../../src/edge/demo/body-within.ts';

const forever = new AbortController().signal;

it('reads to the end where no length is told', async () => {
  assert.equal((await bodyWithin(Readable.from([Buffer.from('one '), Buffer.from('two')]), forever)).toString(), 'one two'); // prettier-ignore
});

it('reads as much as is told of a stream that goes on, across its chunks', async () => {
  for (const [length, expected] of [
    [5, 'one t'],
    [4, 'one '],
    [0, ''],
  ] as const) {
    // prettier-ignore
    const stream = new PassThrough();
    stream.write('one ');
    stream.write('two');
    // What is left of the stream is the caller's to end.
    stream.on('error', () => undefined);
    assert.equal((await bodyWithin(stream, forever, { length })).toString(), expected);
    stream.destroy();
  }
});

it('gives what there is of a stream that ends before the length that was told', async () => {
  assert.equal((await bodyWithin(Readable.from([Buffer.from('one')]), forever, { length: 10 })).toString(), 'one');
});

it('takes 16 MiB and not a byte more', async () => {
  const most = Buffer.alloc(16 * 1024 * 1024);
  assert.equal((await bodyWithin(Readable.from([most]), forever)).length, most.length);
  await assert.rejects(bodyWithin(Readable.from([most, Buffer.alloc(1)]), forever), { code: 'internal' });
});

it('ends its wait when the signal comes', async () => {
  const stop = new AbortController();
  const body = bodyWithin(new PassThrough(), stop.signal);
  stop.abort();
  await assert.rejects(body, { name: 'AbortError' });
});
