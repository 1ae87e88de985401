import { createHash, type KeyObject, type X509Certificate } from 'node:crypto';
import type { Clock } from '../../base/clock.ts';
import type { Disk } from '../../base/disk.ts';
import { SekishoError } from '../../base/errors.ts';
import { assertIssuedBy, assertKeyMatches, assertValidAt } from './check-credential.ts';
import { demandCertificate, demandKey } from './credential-files.ts';
import { type Expiry, expiryOf, isValidAt, lifeOf } from './expiry.ts';
import { issueDoorLeaf } from './issue.ts';
import { keyPem, newKey } from './key.ts';
import { onlineFiles } from './layout.ts';
import { constraintsFor, differenceOf, type NameConstraints, permitsAddress, permitsHost } from './name-constraints.ts';
import { constraintsOf } from './read-extensions.ts';
import type { Credential } from './sign.ts';

/** A certificate for a door, ready for SDS. */
export interface Leaf {
  /** PEM: the leaf, then the intermediate. */
  readonly certificateChain: string;
  /** PEM, PKCS #8. A secret. */
  readonly privateKey: string;
  readonly notBefore: Date;
  readonly notAfter: Date;
  /** SHA-256 of the chain, hex: changes when the certificate does and says nothing of the key. */
  readonly version: string;
}

/**
 * Opens the console CA of folder `pki`: root certificate, intermediate and the intermediate's key.
 * Throws `ca_missing` when one is not there, `ca_invalid` when they do not belong together, are over, or lack name constraints.
 */
export async function openConsoleCa(folder: string, disk: Disk, clock: Clock): Promise<ConsoleCa> {
  const paths = onlineFiles(folder);
  const root = await demandCertificate(disk, paths.consoleRoot.certificate);
  const path = paths.consoleIntermediate.certificate;
  const certificate = await demandCertificate(disk, path);
  const key = await demandKey(disk, paths.consoleIntermediate.key);

  const now = new Date(clock.now());
  assertValidAt(root, now, paths.consoleRoot.certificate);
  assertIssuedBy(certificate, root, path);
  assertValidAt(certificate, now, path);
  assertKeyMatches(certificate, key, path);
  const constraints = constraintsOf(certificate);
  if (constraints === undefined) {
    const remedy = 'a server must not hold such a CA; remove it and run `sekisho ca init`';
    throw new SekishoError('ca_invalid', `${path} has no name constraints that Sekisho knows; ${remedy}`, {
      facts: { file: path },
    });
  }
  return new ConsoleCa(root, { certificate, key }, constraints);
}

/** The console CA as the server holds it: it can sign for the policy's hosts and nothing else. */
export class ConsoleCa {
  readonly root: X509Certificate;
  readonly constraints: NameConstraints;
  readonly #intermediate: Credential;

  constructor(root: X509Certificate, intermediate: Credential, constraints: NameConstraints) {
    this.root = root;
    this.constraints = constraints;
    this.#intermediate = intermediate;
  }

  get intermediate(): X509Certificate {
    return this.#intermediate.certificate;
  }

  /** Signs a leaf with a new key. Throws `ca_invalid` before signing for a name outside the constraints, or when the intermediate is over. */
  async issueLeaf(hosts: readonly string[], addresses: readonly string[], now: Date): Promise<Leaf> {
    this.assertPermits(hosts, addresses);
    if (!isValidAt(this.intermediate, now)) {
      const { notAfter } = lifeOf(this.intermediate);
      const remedy = 'run `sekisho ca init` where the offline folder is, and bring the new certificate here';
      throw new SekishoError(
        'ca_invalid',
        `the console intermediate was valid until ${notAfter.toISOString()}; ${remedy}`,
      );
    }
    const key = await newKey();
    return leafOf(await issueDoorLeaf({ key, hosts, addresses }, this.#intermediate, now), key, this.intermediate);
  }

  /** Throws `ca_invalid` naming the first host or address that no client would accept from this CA. */
  assertPermits(hosts: readonly string[], addresses: readonly string[]): void {
    const stranger =
      hosts.find((host) => !permitsHost(this.constraints, host)) ??
      addresses.find((address) => !permitsAddress(this.constraints, address));
    if (stranger === undefined) return;
    const remedy = 'run `sekisho ca init` with this policy where the offline folder is';
    throw new SekishoError('ca_invalid', `the console intermediate does not cover ${stranger}; ${remedy}`, {
      facts: { host: stranger },
    });
  }

  /** How the constraints differ from what a policy needs, in words; undefined when they are exactly that. */
  differenceFrom(hosts: readonly string[], addresses: readonly string[]): string | undefined {
    return differenceOf(this.constraints, constraintsFor(hosts, addresses));
  }

  expiries(now: Date): Expiry[] {
    return [expiryOf(this.root, 'console_root', now), expiryOf(this.intermediate, 'console_intermediate', now)];
  }
}

/** The same leaf has the same bytes, whether it was just signed or read from a file. */
export function leafOf(certificate: X509Certificate, key: KeyObject, intermediate: X509Certificate): Leaf {
  const certificateChain = certificate.toString() + intermediate.toString();
  return {
    certificateChain,
    privateKey: keyPem(key),
    ...lifeOf(certificate),
    version: createHash('sha256').update(certificateChain).digest('hex'),
  };
}
