// Loaded into `sekisho serve` before anything else: fdatasync then does what the file named in BROKEN_DISK says, which is `ok`, `slow MILLISECONDS` or `fail`.
import { readFileSync } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { setTimeout as wait } from 'node:timers/promises';

const orders = process.env['BROKEN_DISK'] ?? '';
const handle = await open('/dev/null');
const kind = Object.getPrototypeOf(handle) as FileHandle;
await handle.close();

const sync = Object.getOwnPropertyDescriptor(kind, 'datasync')?.value as (this: FileHandle) => Promise<void>;
kind.datasync = async function (this: FileHandle) {
  const [order, ms] = readFileSync(orders, 'utf8').trim().split(' ');
  if (order === 'fail')
    throw Object.assign(new Error('EIO: i/o error, fdatasync'), { code: 'EIO', syscall: 'fdatasync' });
  if (order === 'slow') await wait(Number(ms));
  return sync.call(this);
};
