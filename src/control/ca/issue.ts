import type { KeyObject, X509Certificate } from 'node:crypto';
import { serverName } from '../../wire/server-name.ts';
import { type Identity, identityUri } from './identity.ts';
import { canonicalAddress, type NameConstraints } from './name-constraints.ts';
import { type AlternativeName, type Credential, signCertificate } from './sign.ts';

/** How long each kind of certificate lives, in days. */
const lifetimes = {
  /** A root is replaced by hand on every client, so rarely. */
  root: 3650,
  /** Ends what a stolen intermediate key is good for; within the 398 days that browsers ask of public CAs. */
  intermediate: 365,
  /** Renewed by the server itself. */
  door: 30,
  server: 365,
  client: 365,
} as const;

/** The root of the console CA. Signs intermediates only; no client sees it but in its trust store. */
export function issueConsoleRoot(fleet: string, key: KeyObject, now: Date): Promise<X509Certificate> {
  return signCertificate({
    key,
    subject: { commonName: 'Sekisho console root', unit: fleet },
    ...validity(now, lifetimes.root),
    ca: { pathLength: 1 },
    usage: 'server',
  });
}

/** The CA that lies on the server. It may sign servers with the given names and nothing else, and no further CA (pathlen 0). */
export function issueConsoleIntermediate(
  request: { readonly fleet: string; readonly key: KeyObject; readonly constraints: NameConstraints },
  root: Credential,
  now: Date,
): Promise<X509Certificate> {
  const { fleet, key, constraints } = request;
  return signCertificate(
    {
      key,
      subject: { commonName: 'Sekisho console intermediate', unit: fleet },
      ...validity(now, lifetimes.intermediate, root),
      ca: { pathLength: 0, constraints },
      usage: 'server',
    },
    root,
  );
}

/** A leaf for one door: all its names in one certificate. The common name is for people; no client reads it. */
export function issueDoorLeaf(
  request: { readonly key: KeyObject; readonly hosts: readonly string[]; readonly addresses: readonly string[] },
  intermediate: Credential,
  now: Date,
  days: number = lifetimes.door,
): Promise<X509Certificate> {
  return signCertificate(
    {
      key: request.key,
      subject: { commonName: 'Sekisho door' },
      ...validity(now, days, intermediate),
      usage: 'server',
      names: alternativeNames(request.hosts, request.addresses),
    },
    intermediate,
  );
}

/** The fleet CA: one root that signs the server and its clients, and no further CA. */
export function issueFleetRoot(fleet: string, key: KeyObject, now: Date): Promise<X509Certificate> {
  return signCertificate({
    key,
    subject: { commonName: 'Sekisho fleet root', unit: fleet },
    ...validity(now, lifetimes.root),
    ca: { pathLength: 0 },
  });
}

/** The certificate that the gRPC server shows: `sekisho.internal` and whatever else it is reached under. */
export function issueServerCertificate(
  request: { readonly key: KeyObject; readonly hosts: readonly string[]; readonly addresses: readonly string[] },
  root: Credential,
  now: Date,
): Promise<X509Certificate> {
  return signCertificate(
    {
      key: request.key,
      subject: { commonName: serverName },
      ...validity(now, lifetimes.server, root),
      usage: 'server',
      names: serverNames(request.hosts, request.addresses),
    },
    root,
  );
}

/** The certificate by which a node, reader or operator is known to the server. */
export function issueClientCertificate(
  identity: Identity,
  key: KeyObject,
  root: Credential,
  now: Date,
): Promise<X509Certificate> {
  return signCertificate(
    {
      key,
      // For people; who it is stands in the alternative name, whole.
      subject: { commonName: identity.name.slice(0, longestCommonName), unit: identity.role },
      ...validity(now, lifetimes.client, root),
      usage: 'client',
      names: [{ type: 'url', value: identityUri(identity) }],
    },
    root,
  );
}

/** The alternative names of a server certificate for these hosts and addresses. */
export function serverNames(hosts: readonly string[], addresses: readonly string[]): AlternativeName[] {
  return alternativeNames([serverName, ...hosts], addresses);
}

function alternativeNames(hosts: readonly string[], addresses: readonly string[]): AlternativeName[] {
  return [
    ...[...new Set(hosts.map((host) => host.toLowerCase()))].map((value) => ({ type: 'dns', value }) as const),
    ...[...new Set(addresses.map(canonicalAddress))].map((value) => ({ type: 'ip', value }) as const),
  ];
}

/** Begins 5 minutes ago for clocks that are behind; ends no later than the issuer, for a chain is as old as its oldest part. */
function validity(now: Date, days: number, issuer?: Credential): { notBefore: Date; notAfter: Date } {
  const end = now.getTime() + days * dayMs;
  const issuerEnd = issuer === undefined ? end : Date.parse(issuer.certificate.validTo);
  return {
    notBefore: wholeSecond(now.getTime() - clockSkewMs),
    notAfter: wholeSecond(Math.min(end, issuerEnd)),
  };
}

/** RFC 5280 appendix A, ub-common-name. */
const longestCommonName = 64;

const dayMs = 86_400_000;
const clockSkewMs = 5 * 60_000;

/** X.509 knows no fractions of a second (RFC 5280 4.1.2.5). */
function wholeSecond(ms: number): Date {
  return new Date(Math.floor(ms / 1000) * 1000);
}
