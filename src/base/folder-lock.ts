import { randomBytes } from 'node:crypto';
import * as fs from 'node:fs/promises';
import { connect, createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

import { unwritable } from './disk-errors.ts';
import type { FolderLock } from './disk.types.ts';
import { errnoOf, SekishoError } from './errors.ts';

/**
 * Takes a folder on a local file system for one opener among all processes of the machine.
 *
 * Each opener listens on a Unix socket of its own in the folder and then looks for others. Whether another one lives is for
 * the kernel to say (a dead one refuses the connection), so that a killed holder needs no clearing up, and so that process ids,
 * which mean nothing across containers, decide nothing. A name is used once and a dead socket never comes alive: that is why
 * removing what a dead one left cannot hit a live one. Of two openers at least one sees the other, as each shows itself before
 * it looks; whoever sees another that is still asking withdraws and starts over after a random moment.
 *
 * Openers that give the same `company` have the folder together; one without a company has it alone.
 *
 * Throws folder_in_use, and file_unwritable where the folder takes no sockets.
 */
export async function lockFolder(folder: string, company?: string): Promise<FolderLock> {
  for (let attempt = 0; ; attempt++) {
    const mine = await Presence.show(folder, company);
    try {
      const others = await seeOthers(folder, mine.name, company);
      if (others.every((other) => other.state === 'dead')) {
        mine.state = 'held';
        return mine;
      }
      const holder = others.find((other) => other.state === 'held');
      if (holder !== undefined) throw inUse(folder, holder.pid);
      if (attempt === attempts) throw inUse(folder, undefined);
    } catch (caught) {
      await mine.release();
      throw caught;
    }
    await mine.release();
    await pause(10 + Math.random() * 40);
  }
}

const attempts = 40;
const answerMs = 1000;
/** sun_path of Linux holds 108 bytes with the closing zero; other systems 104. */
const longestSocketPath = 103;

interface Seen {
  readonly state: 'asking' | 'held' | 'dead';
  readonly pid: string | undefined;
}

/** A listening socket in the folder that tells whoever connects who is here and whether the folder is held. */
class Presence implements FolderLock {
  state: 'asking' | 'held' = 'asking';
  readonly name: string;
  readonly #path: string;
  readonly #server: Server;

  private constructor(name: string, path: string) {
    this.name = name;
    this.#path = path;
    this.#server = createServer((socket) => {
      socket.on('error', () => socket.destroy());
      // Not waiting for the other side to hang up: whoever asks and stalls must not hold up our `release`.
      socket.end(`${this.state} ${process.pid}\n`, () => socket.destroy());
    });
  }

  /** The name that others look for appears only when the socket listens: before that it would refuse them as a dead one does. */
  static async show(folder: string, company: string | undefined): Promise<Presence> {
    const id = randomBytes(8).toString('hex');
    const name = company === undefined ? `lock.${id}` : `lock.${company}.${id}`;
    const presence = new Presence(name, join(folder, name));
    const temporary = `asking.${id}`;
    try {
      await withSocketPath(folder, temporary, (path) => listen(presence.#server, path));
      presence.#server.unref();
      await fs.chmod(join(folder, temporary), 0o640);
      await fs.rename(join(folder, temporary), presence.#path);
      return presence;
    } catch (caught) {
      await presence.release();
      await fs.rm(join(folder, temporary), { force: true }).catch(() => undefined);
      throw unwritable(folder, caught);
    }
  }

  async release(): Promise<void> {
    await fs.rm(this.#path, { force: true });
    if (!this.#server.listening) return;
    await new Promise<void>((resolve) => {
      this.#server.close(() => {
        resolve();
      });
    });
  }
}

/** All but those of our own company: their names tell, so that one of them who is stopped shuts nobody out. What dead ones left goes. */
async function seeOthers(folder: string, mine: string, company: string | undefined): Promise<Seen[]> {
  const names = (await fs.readdir(folder)).filter((name) => socketName.test(name) && name !== mine);
  const seen = await Promise.all(
    names.map(async (name) => {
      const one = await withSocketPath(folder, name, ask);
      if (one.state === 'dead') await fs.rm(join(folder, name), { force: true });
      return { ...one, company: socketName.exec(name)?.[1] };
    }),
  );
  return seen.filter((one) => company === undefined || one.company !== company);
}

const socketName = /^lock\.(?:([\w-]+)\.)?[0-9a-f]{16}$/;

/** Only a refused connection, or no such socket, means dead. One who is stopped, or busy, or not ours to ask, lives. */
function ask(path: string): Promise<Seen> {
  return new Promise((resolve) => {
    let answer = '';
    const socket = connect(path);
    const done = (seen: Seen): void => {
      socket.destroy();
      resolve(seen);
    };
    socket.setTimeout(answerMs, () => {
      done({ state: 'held', pid: undefined });
    });
    socket.on('data', (bytes: Buffer) => {
      answer += bytes.toString('latin1');
    });
    socket.on('end', () => {
      const [state, pid] = answer.trim().split(' ');
      done({ state: state === 'asking' ? 'asking' : 'held', pid });
    });
    socket.on('error', (caught) => {
      const errno = errnoOf(caught);
      done({ state: errno === 'ECONNREFUSED' || errno === 'ENOENT' ? 'dead' : 'held', pid: undefined });
    });
  });
}

function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

/** A socket's address is short where a folder's path may be long; Linux lets us name the folder by a descriptor instead. */
async function withSocketPath<T>(folder: string, name: string, use: (path: string) => Promise<T>): Promise<T> {
  const direct = join(folder, name);
  if (Buffer.byteLength(direct) <= longestSocketPath) return use(direct);
  if (process.platform !== 'linux') {
    throw new SekishoError(
      'file_unwritable',
      `${folder} is too long for a socket: choose a folder with a shorter path`,
      {
        facts: { path: folder },
      },
    );
  }
  const handle = await fs.open(folder, 'r');
  try {
    return await use(`/proc/self/fd/${handle.fd}/${name}`);
  } finally {
    await handle.close();
  }
}

function inUse(folder: string, pid: string | undefined): SekishoError {
  const who = pid === undefined ? 'another process, which does not answer' : `process ${pid}`;
  return new SekishoError(
    'folder_in_use',
    `${folder} is in use by ${who}: stop it, or give this one a folder of its own`,
    {
      facts: { path: folder, pid },
    },
  );
}
