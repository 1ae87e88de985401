import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { chromium, type BrowserContext } from 'playwright-core';

const needed = ['chromium', 'certutil', 'pk12util', 'openssl', 'curl'];

/** What a test with a browser passes as `skip`: false, or what is missing. Where CI=true nothing is skipped, and it fails instead. */
export const skipBrowser: string | false = (() => {
  const missing = needed.filter((name) => onPath(name) === undefined);
  if (missing.length === 0 || process.env['CI'] === 'true') return false;
  return `not installed here: ${missing.join(', ')}`;
})();

export interface BrowserOptions {
  /** File of the authority that was imported as trusted, as a company does it on its workstations. */
  readonly trusted?: string;
  /** Files of a client certificate in the browser's store, offered without a question to `for`, an https origin. */
  readonly person?: { readonly certificate: string; readonly key: string; readonly for: string };
  /** A proxy that asks for name and password; the browser answers it, as a person would. */
  readonly asked?: { readonly server: string; readonly username: string; readonly password: string };
  /** Further arguments: how names are resolved, which proxy is taken. */
  readonly args: readonly string[];
}

/**
 * A real Chromium with a profile and a certificate store of its own; both are gone when the test is over. It calls nobody by itself, and
 * finds no way off this machine but through a proxy: every name resolves to nothing unless `args` say otherwise.
 */
export async function openBrowser(t: TestContext, options: BrowserOptions): Promise<BrowserContext> {
  const home = await mkdtemp(join(tmpdir(), 'sekisho-browser-'));
  const removed = () => rm(home, { recursive: true, force: true, maxRetries: 5 });
  const context = await launched(home, options).catch(async (caught: unknown) => {
    await removed();
    throw caught;
  });
  t.after(async () => {
    await context.close();
    await removed();
  });
  context.setDefaultTimeout(15_000);
  return context;
}

/** Proxies also for loopback, which Chromium would leave out by itself. */
export function throughProxy(url: string): readonly string[] {
  return [`--proxy-server=${url}`, '--proxy-bypass-list=<-loopback>', ...noNamesBut(url)];
}

export function throughPac(url: string): readonly string[] {
  return [`--proxy-pac-url=${url}`, ...noNamesBut(url)];
}

/** A browser that goes through a proxy has no need of names; the proxy has an address. */
export function noNamesBut(url: string): readonly string[] {
  return [`--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE ${new URL(url).hostname}`];
}

/** No proxy is set, and some names (`*.example.com`) lead to one `address:port`: what split DNS does. */
export function bySplitDns(names: readonly string[], to: string): readonly string[] {
  const rules = names.map((name) => `MAP ${name} ${to} , `).join('');
  return ['--no-proxy-server', `--host-resolver-rules=${rules}MAP * ~NOTFOUND`];
}

async function launched(home: string, options: BrowserOptions): Promise<BrowserContext> {
  await certificateStore(home, options);
  const profile = join(home, 'profile');
  await preferences(profile, options);
  return chromium.launchPersistentContext(profile, {
    executablePath: onPath('chromium') ?? 'chromium',
    env: { PATH: process.env['PATH'] ?? '', HOME: home },
    ...(options.asked && { proxy: options.asked }),
    args: [...quiet, ...options.args],
  });
}

const quiet = [
  // Root has no sandbox.
  ...(process.getuid?.() === 0 ? ['--no-sandbox'] : []),
  '--disable-quic',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-domain-reliability',
  '--disable-sync',
  '--no-first-run',
  '--no-pings',
];

/** The store that Chromium reads on Linux: an NSS database in the home folder. */
async function certificateStore(home: string, { trusted, person }: BrowserOptions): Promise<void> {
  const folder = join(home, '.pki', 'nssdb');
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const database = ['-d', `sql:${folder}`];
  run('certutil', [...database, '-N', '--empty-password']);
  if (trusted !== undefined) run('certutil', [...database, '-A', '-t', 'C,,', '-n', 'company', '-i', trusted]);
  if (person !== undefined) {
    const bundle = join(home, 'person.p12');
    const pair = ['-in', person.certificate, '-inkey', person.key];
    run('openssl', ['pkcs12', '-export', ...pair, '-out', bundle, '-passout', 'pass:p', '-name', 'person']);
    run('pk12util', [...database, '-i', bundle, '-W', 'p', '-K', '']);
  }
}

/** What an administrator sets by policy: that the question which certificate to offer is answered already. */
async function preferences(profile: string, { person }: BrowserOptions): Promise<void> {
  await mkdir(join(profile, 'Default'), { recursive: true });
  if (person === undefined) return;
  const choice = JSON.stringify({ pattern: person.for, filter: {} });
  const written = { profile: { managed_auto_select_certificate_for_urls: [choice] } };
  await writeFile(join(profile, 'Default', 'Preferences'), JSON.stringify(written));
}

function run(command: string, args: readonly string[]): void {
  execFileSync(command, args, { stdio: 'pipe' });
}

function onPath(name: string): string | undefined {
  const folders = (process.env['PATH'] ?? '').split(':');
  return folders.map((folder) => join(folder, name)).find((file) => existsSync(file));
}
