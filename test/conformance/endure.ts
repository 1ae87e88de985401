import { isDeepStrictEqual } from 'node:util';
import { setTimeout as pause } from 'node:timers/promises';
import * as grpc from '@grpc/grpc-js';
import { draws } from '../base/draws.ts';
import type { Contents } from '../control/xds/model.ts';
import { HoldingClient } from './holding-client.ts';
import { RandomChanges } from './random-changes.ts';
import type { Report } from './server-process.ts';
import { startServer, type ServerProcess } from './start-server.ts';

/** How long what is under way may take when the changes are over, in milliseconds. */
const patience = 20_000;

export interface Course {
  readonly changes: number;
  readonly clients: number;
  /** Clients of a group shall have the same, and each change is one of one group. */
  readonly groups: number;
  readonly changesPerSecond: number;
  /** After so many changes one of the clients leaves and comes back at once. */
  readonly changesPerReconnect: number;
  readonly seed: number;
  /** How often the server's memory is looked at. */
  readonly looks: number;
  /** Is told each look. */
  readonly progress?: (look: Look) => void;
}

/** The server after so many changes. */
export interface Look extends Report {
  readonly changes: number;
}

export interface Outcome {
  readonly looks: readonly Look[];
  /** Those whose state is not that of the snapshot in the end. */
  readonly wrong: readonly string[];
  /** Streams that ended without their client's doing. */
  readonly broken: readonly string[];
  readonly responses: number;
  readonly reconnects: number;
  readonly complaints: string;
}

/**
 * Changes without end while many clients follow over real gRPC, half of them in each variant, and leave and come back. The server is a process
 * of its own, so that its memory is its own.
 */
export async function endure(course: Course): Promise<Outcome> {
  const { changes, changesPerSecond, looks, progress } = course;
  const server = await startServer();
  const draw = draws(course.seed);
  const groups = Array.from({ length: course.groups }, (_, at) => ({ key: `g${at}`, state: new RandomChanges(draw) }));
  for (const { key, state } of groups) server.publish(key, state.contents());
  const connections = Array.from({ length: course.clients }, () => connect(server));
  const clients = connections.map((connection, at) => {
    const variant = at % 2 === 0 ? 'delta' : 'sotw';
    return new HoldingClient(connection, { variant, node: `g${at % groups.length}-${at}` });
  });
  const taken: Look[] = [];
  let reconnects = 0;
  const began = performance.now();
  for (let made = 1; made <= changes; made += 1) {
    const group = groups[draw(groups.length)];
    if (group) server.publish(group.key, group.state.next());
    if (made % course.changesPerReconnect === 0) {
      clients[draw(clients.length)]?.reconnect();
      reconnects += 1;
    }
    if (made % Math.ceil(changes / looks) === 0 || made === changes) {
      const look = { ...(await server.look()), changes: made };
      taken.push(look);
      progress?.(look);
    }
    const early = (made / changesPerSecond) * 1000 - (performance.now() - began);
    if (early > 5) await pause(early);
    else await new Promise((turn) => setImmediate(turn));
  }
  const wanted = new Map(groups.map(({ key, state }) => [key, state.contents()]));
  const wrong = await stillWrong(clients, wanted);
  for (const client of clients) client.end();
  for (const connection of connections) connection.close();
  const complaints = server.complaints();
  await server.stop();
  return {
    looks: taken,
    wrong: wrong.map(({ node, variant }) => `${node} (${variant})`),
    broken: clients.flatMap(({ node, broken }) => broken.map((why) => `${node}: ${why}`)),
    responses: clients.reduce((sum, { responses }) => sum + responses, 0),
    reconnects,
    complaints,
  };
}

function connect({ port }: ServerProcess): grpc.Client {
  return new grpc.Client(`127.0.0.1:${port}`, grpc.credentials.createInsecure(), {
    'grpc.use_local_subchannel_pool': 1,
  });
}

/** Waits until every client holds what it shall; gives those that do not come to it. */
async function stillWrong(
  clients: readonly HoldingClient[],
  wanted: ReadonlyMap<string, Contents>,
): Promise<HoldingClient[]> {
  const deadline = performance.now() + patience;
  for (;;) {
    const wrong = clients.filter(
      (client) => !isDeepStrictEqual(client.holds(), wanted.get(client.node.slice(0, client.node.indexOf('-')))),
    );
    if (wrong.length === 0 || performance.now() > deadline) return wrong;
    await pause(50);
  }
}
