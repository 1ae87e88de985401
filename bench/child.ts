import type { ChildProcess } from 'node:child_process';
import net from 'node:net';

/** Waits until something listens at HOST:PORT; throws what the last attempt met after ten seconds. */
export function listening(address: string): Promise<void> {
  const [host = '', port = ''] = address.split(':');
  const deadline = Date.now() + 10_000;
  return new Promise((resolve, reject) => {
    const knock = (): void => {
      const socket = net.connect({ host, port: Number(port) });
      socket.once('connect', () => {
        socket.destroy();
        resolve();
      });
      socket.once('error', (error) => {
        if (Date.now() > deadline) reject(error);
        else setTimeout(knock, 20);
      });
    };
    knock();
  });
}

/** Ends a process that a measurement started, and waits until it is gone. */
export function ended(process: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    process.once('exit', () => {
      resolve();
    });
    // It is gone already.
    if (!process.kill('SIGTERM')) resolve();
  });
}
