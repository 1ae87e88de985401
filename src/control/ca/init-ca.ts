import type { X509Certificate } from 'node:crypto';
import type { Clock } from '../../base/clock.ts';
import type { Disk } from '../../base/disk.ts';
import { makeFolder } from './credential-files.ts';
import { ensureCredential, type CredentialPlan, type FileReport } from './ensure-credential.ts';
import { ensureRoot } from './ensure-root.ts';
import { assertFleetName } from './identity.ts';
import {
  issueConsoleIntermediate,
  issueConsoleRoot,
  issueFleetRoot,
  issueServerCertificate,
  serverNames,
} from './issue.ts';
import { offlineFiles, onlineFiles } from './layout.ts';
import { constraintsFor, differenceOf, type NameConstraints } from './name-constraints.ts';
import { alternativeNamesOf, constraintsOf, sortedNames } from './read-extensions.ts';

/** What the two CAs have to know of the policy. */
export interface CaFacts {
  /** The fleet's name: trust domain of the node certificates, OU of the roots. */
  readonly fleet: string;
  /** Every host that a door may show a certificate for, exact or `*.`. */
  readonly hosts: readonly string[];
  /** Every IP address that a door may show a certificate for (an HTTPS proxy known by address); mostly none. */
  readonly addresses: readonly string[];
  /** Names and addresses of the gRPC server besides `sekisho.internal`. */
  readonly serverHosts: readonly string[];
  readonly serverAddresses: readonly string[];
}

export interface CaFolders {
  /** What the server reads, `pki`. */
  readonly online: string;
  /** The roots' keys, `pki/offline`. */
  readonly offline: string;
}

/**
 * `sekisho ca init`: leaves both CAs as the policy wants them, and says of every file what became of it. Running it again changes
 * nothing but what the policy or the calendar has changed; a key that is there is never replaced.
 *
 * Throws `ca_missing` when something must be signed by a root whose key is not in the offline folder, `ca_invalid` for files that contradict
 * each other or the policy, and what the disk throws.
 */
export async function initCa(folders: CaFolders, facts: CaFacts, disk: Disk, clock: Clock): Promise<FileReport[]> {
  assertFleetName(facts.fleet);
  const wanted = constraintsFor(facts.hosts, facts.addresses);
  await makeFolder(disk, folders.online);
  await makeFolder(disk, folders.offline);
  // Two at once could write the key of one root and the certificate of another.
  const lock = await disk.lockFolder(folders.online);
  try {
    return await ensureAll(folders, facts, wanted, disk, new Date(clock.now()));
  } finally {
    await lock.release();
  }
}

async function ensureAll(
  folders: CaFolders,
  facts: CaFacts,
  constraints: NameConstraints,
  disk: Disk,
  now: Date,
): Promise<FileReport[]> {
  const { fleet } = facts;
  const online = onlineFiles(folders.online);
  const offline = offlineFiles(folders.offline);
  const consoleRoot = await ensureRoot(
    {
      fleet,
      offline: offline.consoleRoot,
      online: online.consoleRoot,
      issue: (key) => issueConsoleRoot(fleet, key, now),
    },
    disk,
    now,
  );
  const fleetCa = await ensureRoot(
    { fleet, offline: offline.fleetCa, online: online.fleetCa, issue: (key) => issueFleetRoot(fleet, key, now) },
    disk,
    now,
  );
  const intermediate: CredentialPlan = {
    paths: online.consoleIntermediate,
    root: consoleRoot.root,
    objection: (certificate) => differenceOf(constraintsOf(certificate), constraints),
    issue: (key, root) => issueConsoleIntermediate({ fleet, key, constraints }, root, now),
  };
  const names = { hosts: facts.serverHosts, addresses: facts.serverAddresses };
  const server: CredentialPlan = {
    paths: online.server,
    root: fleetCa.root,
    objection: (certificate) => namesObjection(certificate, sortedNames(serverNames(names.hosts, names.addresses))),
    issue: (key, root) => issueServerCertificate({ key, ...names }, root, now),
  };
  return [
    ...consoleRoot.files,
    ...fleetCa.files,
    ...(await ensureCredential(intermediate, disk, now)),
    ...(await ensureCredential(server, disk, now)),
  ];
}

function namesObjection(certificate: X509Certificate, wanted: readonly string[]): string | undefined {
  const names = wanted.join(', ');
  return alternativeNamesOf(certificate).join(', ') === names ? undefined : `does not carry exactly the names ${names}`;
}
