import { Worker } from 'node:worker_threads';
import { SekishoError } from '../../base/errors.ts';
import type { PasswordHash } from '../../policy/policy.types.ts';
import { scryptOptions } from '../../sink/users/hash-password.ts';

/** A thread that tries passwords. */
export interface PasswordThread {
  /** Whether this is the password; in time that does not tell how near it is. Rejects when the thread fails; the next one starts another. */
  matches(password: string, hash: PasswordHash): Promise<boolean>;
  /** Ends the thread; whoever still waits is told. May be called twice. */
  close(): Promise<void>;
}

/**
 * What runs in the thread. A text and not a module: the same in `dist` and from the source, where loaders of TypeScript do not reach a thread of Node.js 20.
 */
const program = `
const { parentPort } = require('node:worker_threads');
const { scryptSync, timingSafeEqual } = require('node:crypto');
parentPort.on('message', ({ id, password, salt, hash, options }) => {
  const found = scryptSync(password, salt, hash.length, options);
  parentPort.postMessage({ id, right: timingSafeEqual(found, hash) });
});
`;

interface Asker {
  readonly resolve: (right: boolean) => void;
  readonly reject: (error: SekishoError) => void;
}

/**
 * A thread of its own for scrypt. The event loop would stand still for 90 ms each time, and in the pool of libuv, which has four threads, passwords would
 * keep the journal from its disk. It starts when it is first asked.
 */
export function passwordThread(): PasswordThread {
  const asking = new Map<number, Asker>();
  let worker: Worker | undefined;
  let closed = false;
  let next = 0;

  function start(): Worker {
    const started = new Worker(program, { eval: true, execArgv: [], env: {} });
    started.on('message', ({ id, right }: { id: number; right: boolean }) => {
      asking.get(id)?.resolve(right);
      asking.delete(id);
    });
    started.on('error', (cause) => {
      fail(started, cause);
    });
    started.on('exit', () => {
      fail(started);
    });
    return started;
  }

  function fail(ended: Worker, cause?: unknown): void {
    // After an error there is an end, too; by then another one may be at work.
    if (worker !== ended) return;
    worker = undefined;
    for (const { reject } of asking.values()) {
      reject(new SekishoError('internal', 'the thread that tries passwords has ended', { cause }));
    }
    asking.clear();
  }

  return {
    matches: (password, { cost, salt, hash }) =>
      new Promise((resolve, reject) => {
        if (closed) {
          reject(new SekishoError('server_unreachable', 'Sekisho is stopping; ask again when it has started.'));
          return;
        }
        worker ??= start();
        const id = next++;
        asking.set(id, { resolve, reject });
        worker.postMessage({ id, password, salt, hash, options: scryptOptions(cost) });
      }),
    close: async () => {
      closed = true;
      await worker?.terminate();
    },
  };
}
