/**
 * A discovery server as a process of its own, for tests that look at its memory or that may bring it down: plain text on loopback, one snapshot for all nodes
 * whose ids have the same beginning (`red-1` belongs to `red`). Its parent says what to publish.
 */
import { createServer } from 'node:http2';
import { discoveryServices, grpcStreams, Publisher } from '../../src/xds/index.ts';
import { listening } from '../support/http2-server.ts';
import { snapshotOf, type Contents } from '../control/xds/model.ts';

export type Command =
  | { readonly do: 'publish'; readonly key: string; readonly contents: Contents }
  | { readonly do: 'look'; readonly look: number };

/** What the process says of itself when it is ready, and whenever it is looked at; memory in bytes. */
export type Report = {
  readonly look: number;
  readonly port: number;
  /** What is alive, after a collection. */
  readonly heap: number;
  readonly rss: number;
  readonly cpuMicroseconds: number;
  /** Responses that were sent. */
  readonly sent: number;
  readonly nacked: number;
  /** Streams that are open. */
  readonly streams: number;
};

if (process.send) await serve();

async function serve(): Promise<void> {
  const publisher = new Publisher({
    resolve: ({ id }) => (id.includes('-') ? id.slice(0, id.indexOf('-')) : undefined),
  });
  let [sent, nacked, streams] = [0, 0, 0];
  const { services } = discoveryServices({
    publisher,
    observe: ({ kind }) => {
      if (kind === 'sent') sent += 1;
      if (kind === 'nacked') nacked += 1;
      if (kind === 'connected') streams += 1;
      if (kind === 'disconnected') streams -= 1;
    },
  });
  const port = await listening(createServer().on('stream', grpcStreams(services)));
  const report = async (look: number): Promise<void> => {
    // What a collection finds dead may keep something alive until its finalizer has run.
    for (let times = 0; times < 3; times += 1) {
      global.gc?.();
      await new Promise((turn) => setImmediate(turn));
    }
    const { heapUsed, external, rss } = process.memoryUsage();
    const { user, system } = process.cpuUsage();
    const told: Report = {
      ...{ look, port, heap: heapUsed + external, rss, cpuMicroseconds: user + system, sent, nacked, streams },
    };
    process.send?.(told);
  };
  process.on('message', (command: Command) => {
    if (command.do === 'look') void report(command.look);
    else {
      const { key, contents } = command;
      publisher.publish(key, snapshotOf(contents, publisher.current(key)));
    }
  });
  process.once('disconnect', () => process.exit());
  await report(0);
}
