import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { promisify } from 'node:util';
import type { DoorEntry, House } from './house.ts';
import { basicCredentials } from './users-line.ts';
import { dialConsole, dialDoor, untilClosed } from './ways-in.ts';

/** A client before a door: the address to come from, and what the person behind it knows and has. */
export interface Coming {
  readonly house: House;
  readonly door: DoorEntry;
  readonly from: string;
}

export const host = 'us-east-1.console.aws.amazon.com';
export const user = { name: 'hanako', password: 'hanako’s-0b7e-password' } as const;

/** The status of the answer; `untrusted` where it says so of the certificate, which newer ones and proxies give different numbers. */
export async function curl(coming: Coming, http: string, trust = authorityBehind(coming)): Promise<string> {
  const { house, door, from } = coming;
  const port = Number(door.listen.split(':')[1]);
  const person = ['--cert', personFile(house, 'crt'), '--key', personFile(house, 'key')];
  const direct = [
    '--resolve',
    `${host}:${port}:${house.address}`,
    '-H',
    `host: ${host}`,
    ...(isNamed(door) ? person : []),
  ];
  const proxy = `${door.tls === true ? 'https' : 'http'}://${house.address}:${port}`;
  const proxied = [
    ...['--proxy', proxy, '--noproxy', '', '--proxy-cacert', join(house.pki, 'console-root.crt')],
    ...(isBasic(door) ? ['--proxy-user', `${user.name}:${user.password}`] : []),
    ...(isNamed(door) ? person.map((word) => word.replace('--', '--proxy-')) : []),
  ];
  const way = door.kind === 'forward' ? proxied : direct;
  const url = `https://${host}${door.kind === 'forward' ? '' : `:${port}`}/console/home`;
  const args = ['-sS', '-o', '/dev/null', '-w', '%{http_code}', '--max-time', '10', '--interface', from];
  return promisify(execFile)('curl', [...args, '--cacert', trust, http, ...way, url]).then(
    ({ stdout }) => stdout,
    (caught: unknown) => {
      const { code } = caught as { code: number };
      return code === 35 || code === 60 ? 'untrusted' : `exit ${code}`;
    },
  );
}

/** Who vouched for what it met, and the status of the answer; `closed` where there was no TLS. */
export async function openssl(coming: Coming, serverName: string | undefined): Promise<string> {
  const { house, door } = coming;
  const relay = await relayTo(coming);
  const named = serverName === undefined ? ['-noservername'] : ['-servername', serverName];
  const args = ['s_client', '-connect', `127.0.0.1:${relay.port}`, ...named, '-CAfile', authorityBehind(coming)];
  const person = door.kind === 'forward' || !isNamed(door) ? [] : ['-cert', personFile(house, 'crt'), '-key', personFile(house, 'key')]; // prettier-ignore
  const said = await speak('openssl', [...args, ...person, '-verify_return_error', '-ign_eof']);
  relay.close();
  // It writes what it has to say itself through one buffer with what it was answered.
  const status = /HTTP\/1\.1 (\d+) /.exec(said)?.[1];
  return status === undefined
    ? 'closed'
    : `${status} from the ${/issuer=.*OU = public/.test(said) ? 'console' : 'door'}`;
}

/** By itself, openssl asks a proxy for its way by HTTP/1.0. */
export async function opensslProxy({ door, from }: Coming): Promise<string> {
  const way = ['-bind', `${from}:0`, '-proxy', door.listen, '-connect', `${host}:443`];
  const said = await speak('openssl', ['s_client', ...way, '-servername', host]);
  return /HTTP CONNECT failed, reason= (\d+)/.exec(said)?.[1] ?? said;
}

/** The status of the answer to bytes at the door, or `closed`. */
export async function socket(coming: Coming, bytes: string): Promise<string> {
  const one = await dialDoor(coming.house, coming.door, coming);
  one.write(bytes);
  return statusIn(await untilClosed(one));
}

/** The same to what is behind the CONNECT of a proxy. */
export async function socketInside({ house, door, from }: Coming, bytes: string): Promise<string> {
  const one = await dialConsole(house, door, host, { from, headers: credentials });
  one.write(bytes);
  return statusIn(await untilClosed(one));
}

const credentials = { 'proxy-authorization': basicCredentials(user.name, user.password) };

function statusIn(answer: Buffer): string {
  return /^HTTP\/1\.1 (\d+)/.exec(answer.toString())?.[1] ?? 'closed';
}

/** openssl knows no proxy with TLS or passwords, so the way through the door is made for it. */
async function relayTo({ house, door, from }: Coming): Promise<{ port: number; close(): void }> {
  const server = createServer((client) => {
    client.on('error', () => undefined);
    void dialConsole(house, door, host, { from, headers: credentials }).then((behind) => {
      behind.on('error', () => client.destroy()).once('close', () => client.destroy());
      client.once('close', () => behind.destroy());
      client.pipe(behind).pipe(client);
    });
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return { port: (server.address() as AddressInfo).port, close: () => void server.close() };
}

/** Runs a program that is told to ask for a page, and gives all that it says. */
async function speak(command: string, args: readonly string[]): Promise<string> {
  const child = spawn(command, args, { timeout: 10_000 });
  child.stdin.on('error', () => undefined);
  child.stdin.end(`GET /console/home HTTP/1.1\r\nhost: ${host}\r\nconnection: close\r\n\r\n`);
  const [out, errors] = await Promise.all([text(child.stdout), text(child.stderr)]);
  return out + errors;
}

/** Whom a client has to trust who shall come through: the console CA where the door decrypts, else that of the console itself. */
function authorityBehind({ house, door }: Coming): string {
  return door.inspect === 'tunnel'
    ? join(house.dir, 'stand-in', 'console-root.crt')
    : join(house.pki, 'console-root.crt');
}

/** The authority that vouches for nobody here. */
export function otherAuthority({ house, door }: Coming): string {
  return door.inspect === 'tunnel'
    ? join(house.pki, 'console-root.crt')
    : join(house.dir, 'stand-in', 'console-root.crt');
}

function isNamed({ users }: DoorEntry): boolean {
  return typeof users === 'object' && 'certificate' in users;
}

function isBasic({ users }: DoorEntry): boolean {
  return typeof users === 'object' && 'basic' in users;
}

function personFile(house: House, ending: string): string {
  return join(house.dir, 'people', `taro.yamada.${ending}`);
}
