import type { Clock } from '../../base/clock.ts';
import type { Disk } from '../../base/disk.ts';
import { SekishoError } from '../../base/errors.ts';
import { assertFleet, assertKeyMatches, assertValidAt } from './check-credential.ts';
import { makeFolder, readCertificate, readKey, writeCertificate } from './credential-files.ts';
import { ensureCredential, type FileReport, type Root } from './ensure-credential.ts';
import { assertIdentityName, type Identity, identityOf } from './identity.ts';
import type { CaFolders } from './init-ca.ts';
import { issueClientCertificate } from './issue.ts';
import { clientFiles, clientFolder, offlineFiles, onlineFiles } from './layout.ts';

/**
 * `sekisho ca node ID` (and readers and operators): makes the folder that one client of the server needs, `node.key`, `node.crt` and
 * `fleet-ca.crt`. Again on the same folder, it renews a certificate that has less than a third of its life left, for the same key.
 *
 * Throws `ca_missing` without the fleet CA's key, `ca_invalid` when the CA cannot sign for this fleet now, `usage` for a name that is no
 * DNS name.
 */
export async function issueClient(
  identity: Identity,
  folders: CaFolders & { readonly out?: string },
  disk: Disk,
  clock: Clock,
): Promise<{ folder: string; files: FileReport[] }> {
  assertIdentityName(identity);
  const now = new Date(clock.now());
  const root = await openFleetCa(identity.fleet, folders, disk, now);
  const folder = folders.out ?? clientFolder(folders.online, identity.role, identity.name);
  const paths = clientFiles(folder, identity.role);
  await makeFolder(disk, folder);
  const files = await ensureCredential(
    {
      paths: paths.client,
      root,
      objection: ({ subjectAltName }) => {
        const found = identityOf(subjectAltName, identity.fleet);
        return found?.role === identity.role && found.name === identity.name
          ? undefined
          : 'is made out to someone else';
      },
      issue: (key, issuer) => issueClientCertificate(identity, key, issuer, now),
    },
    disk,
    now,
  );
  files.push(await copyCa(disk, paths.fleetCa.certificate, root));
  return { folder, files };
}

/** The fleet CA with its key. Its certificate may lie in either folder. */
async function openFleetCa(fleet: string, folders: CaFolders, disk: Disk, now: Date): Promise<Root> {
  const { certificate: path, key: keyPath } = offlineFiles(folders.offline).fleetCa;
  const certificate =
    (await readCertificate(disk, path)) ??
    (await readCertificate(disk, onlineFiles(folders.online).fleetCa.certificate));
  const key = await readKey(disk, keyPath);
  if (certificate === undefined || key === undefined) {
    const remedy = 'run `sekisho ca init` first, or name the folder that has it with --offline DIR';
    throw new SekishoError('ca_missing', `the fleet CA is not in ${folders.offline}; ${remedy}`, {
      facts: { file: certificate === undefined ? path : keyPath },
    });
  }
  assertFleet(certificate, fleet, path);
  assertValidAt(certificate, now, path);
  assertKeyMatches(certificate, key, path);
  return { certificate, key, keyPath };
}

async function copyCa(disk: Disk, path: string, { certificate }: Root): Promise<FileReport> {
  const found = await readCertificate(disk, path);
  if (found?.raw.equals(certificate.raw) === true) return { path, act: 'kept' };
  await writeCertificate(disk, path, certificate);
  return found === undefined ? { path, act: 'made' } : { path, act: 'reissued', note: 'was another fleet CA' };
}
