import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { CaFacts, CaFolders } from '../../../src/control/ca/init-ca.ts';
import {
  issueConsoleIntermediate,
  issueConsoleRoot,
  issueDoorLeaf,
  issueFleetRoot,
} from '../../../src/control/ca/issue.ts';
import { newKey } from '../../../src/control/ca/key.ts';
import { constraintsFor } from '../../../src/control/ca/name-constraints.ts';
import type { Credential } from '../../../src/control/ca/sign.ts';

/** A day on which every test begins. */
export const day0 = Date.parse('2026-11-24T00:00:00.500Z');
export const dayMs = 86_400_000;

/** A clock that stands until it is moved. */
export class FakeClock {
  at = day0;

  now(): number {
    return this.at;
  }

  advanceDays(days: number): void {
    this.at += days * dayMs;
  }
}

export const facts: CaFacts = {
  fleet: 'tokyo',
  hosts: ['signin.aws.example', '*.console.aws.example'],
  addresses: [],
  serverHosts: ['sekisho.corp.example'],
  serverAddresses: ['127.0.0.1', '::1'],
};

/** A folder that is gone when the test is over. */
export async function temporaryFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'sekisho-ca-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

export async function temporaryFolders(t: TestContext): Promise<CaFolders> {
  const folder = await temporaryFolder(t);
  return { online: join(folder, 'pki'), offline: join(folder, 'stick') };
}

/** The console CA in memory, valid around the real present, unless told, so that TLS accepts it. */
export async function consoleChain(
  hosts: readonly string[] = facts.hosts,
  addresses: readonly string[] = [],
  now = new Date(),
): Promise<{ root: Credential; intermediate: Credential }> {
  const rootKey = await newKey();
  const root = { key: rootKey, certificate: await issueConsoleRoot('tokyo', rootKey, now) };
  return { root, intermediate: await intermediateOf(root, hosts, addresses, now) };
}

/** A further intermediate of a root. */
export async function intermediateOf(
  root: Credential,
  hosts: readonly string[] = facts.hosts,
  addresses: readonly string[] = [],
  now = new Date(),
): Promise<Credential> {
  const key = await newKey();
  const constraints = constraintsFor(hosts, addresses);
  return { key, certificate: await issueConsoleIntermediate({ fleet: 'tokyo', key, constraints }, root, now) };
}

export async function fleetCa(): Promise<Credential> {
  const key = await newKey();
  return { key, certificate: await issueFleetRoot('tokyo', key, new Date()) };
}

/** A leaf signed with the intermediate's key by someone who passes over our own check: a thief. */
export async function stolenLeaf(
  intermediate: Credential,
  hosts: readonly string[],
  addresses: readonly string[] = [],
): Promise<Credential> {
  const key = await newKey();
  return { key, certificate: await issueDoorLeaf({ key, hosts, addresses }, intermediate, new Date()) };
}
