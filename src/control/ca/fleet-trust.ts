import type { Clock } from '../../base/clock.ts';
import type { Disk } from '../../base/disk.ts';
import { assertFleet, assertIssuedBy, assertKeyMatches, assertValidAt } from './check-credential.ts';
import { demandCertificate, demandKey } from './credential-files.ts';
import { type Expiry, expiryOf } from './expiry.ts';
import { keyPem } from './key.ts';
import { onlineFiles } from './layout.ts';

/** What the gRPC server needs for mTLS, as PEM. */
export interface FleetTrust {
  /** The fleet CA: clients whose certificate it signed are of this fleet. */
  readonly ca: string;
  readonly serverCertificate: string;
  /** A secret. */
  readonly serverKey: string;
  expiries(now: Date): Expiry[];
}

/**
 * Opens the server's half of the fleet CA in folder `pki`; the CA's key is not in it.
 * Throws `ca_missing` when a file is not there, `ca_invalid` when they do not belong together, to this fleet or to this time.
 */
export async function openFleetTrust(folder: string, fleet: string, disk: Disk, clock: Clock): Promise<FleetTrust> {
  const paths = onlineFiles(folder);
  const ca = await demandCertificate(disk, paths.fleetCa.certificate);
  const server = await demandCertificate(disk, paths.server.certificate);
  const key = await demandKey(disk, paths.server.key);

  const now = new Date(clock.now());
  assertFleet(ca, fleet, paths.fleetCa.certificate);
  assertValidAt(ca, now, paths.fleetCa.certificate);
  assertIssuedBy(server, ca, paths.server.certificate);
  assertValidAt(server, now, paths.server.certificate);
  assertKeyMatches(server, key, paths.server.certificate);
  return {
    ca: ca.toString(),
    serverCertificate: server.toString(),
    serverKey: keyPem(key),
    expiries: (at) => [expiryOf(ca, 'fleet_ca', at), expiryOf(server, 'server', at)],
  };
}
