import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import net from 'node:net';
import path from 'node:path';

const root = path.resolve(import.meta.dirname, '..');

export interface Sekisho {
  /** HOST:PORT of its gRPC address. */
  readonly address: string;
  /** URL of its admin address. */
  readonly admin: string;
  readonly process: ChildProcess;
}

/** Spawns a sink, journal and all, of what `npm run build` made; it may not answer yet. `more` goes to `sekisho serve`. */
export async function spawnSekisho(folder: string, ...more: readonly string[]): Promise<Sekisho> {
  const [grpc, admin, open] = [await freePort(), await freePort(), await freePort()];
  const config = path.join(folder, 'sekisho.yaml');
  writeFileSync(
    config,
    `fleet: {name: bench, egress: [51.44.71.80/32], nodes: {egress: {match: "envoy-*", max: 100}}}
doors: [{name: office, on: egress, kind: forward, listen: 127.0.0.1:3128, inspect: full, users: none}]
console: {partitions: [aws], regions: [us-east-1]}
record: {assurance: stream}
server: {grpc: {listen: 127.0.0.1:${grpc}}, admin: 127.0.0.1:${admin}, public: 127.0.0.1:${open}}
`,
  );
  const main = path.join(root, 'dist/main.js');
  const pki = path.join(folder, 'pki');
  execFileSync('node', [main, 'ca', 'init', '-c', config, '--pki', pki], { stdio: 'ignore' });
  const args = ['serve', '-c', config, '--pki', pki, '--data', path.join(folder, 'data'), '--roles', 'sink'];
  const process = spawn('node', [main, ...args, ...more], { stdio: ['ignore', 'ignore', 'inherit'] });
  return { address: `127.0.0.1:${grpc}`, admin: `http://127.0.0.1:${admin}`, process };
}

export function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = net.createServer().listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => {
        resolve(typeof address === 'object' && address !== null ? address.port : 0);
      });
    });
  });
}
