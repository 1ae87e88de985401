import { join } from 'node:path';
import type { Role } from './identity.ts';

/** Where the files of a credential or certificate are. The key is missing where only the public half may lie. */
export interface CredentialPaths {
  readonly certificate: string;
  readonly key: string;
}

/** What the server reads: folder `pki`. No key in it can sign a node, or a host outside the policy. */
export function onlineFiles(folder: string) {
  return {
    consoleRoot: pair(folder, 'console-root'),
    consoleIntermediate: pair(folder, 'console-intermediate'),
    fleetCa: pair(folder, 'fleet-ca'),
    server: pair(folder, 'server'),
  };
}

/** The two roots with their keys: folder `pki/offline`, to be kept where no service runs. */
export function offlineFiles(folder: string) {
  return { consoleRoot: pair(folder, 'console-root'), fleetCa: pair(folder, 'fleet-ca') };
}

/** What is carried to one client of the server: `node.key`, `node.crt`, `fleet-ca.crt`. */
export function clientFiles(folder: string, role: Role) {
  return { client: pair(folder, role), fleetCa: pair(folder, 'fleet-ca') };
}

/** `pki/nodes/egress-1`, `pki/readers/audit`. */
export function clientFolder(online: string, role: Role, name: string): string {
  return join(online, `${role}s`, name);
}

/** Where control planes that use these certificates show themselves to each other. Nothing is kept in it, and whoever makes certificates leaves it alone. */
export function usersFolder(online: string): string {
  return join(online, 'in-use');
}

function pair(folder: string, name: string): CredentialPaths {
  return { certificate: join(folder, `${name}.crt`), key: join(folder, `${name}.key`) };
}
