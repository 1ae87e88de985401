import ipaddr from 'ipaddr.js';
import { SekishoError } from '../../base/errors.ts';
import { der, type DerElement, derElements } from './der.ts';
import { constraintsFor, type NameConstraints } from './name-constraints.ts';

/** OID of the extension (RFC 5280 4.2.1.10). */
export const nameConstraintsOid = '2.5.29.30';

/** The content of the extension: a sequence of permitted subtrees [0] and excluded subtrees [1]. */
export function encodeConstraints({ hosts, addresses }: NameConstraints): Buffer {
  const permitted = [
    ...hosts.map((host) => subtree(tags.dnsName, Buffer.from(host, 'ascii'))),
    ...addresses.map((address) => subtree(tags.ipAddress, singleAddress(address))),
  ];
  // A form of name that no subtree speaks of is unconstrained, so "no address" has to be said: exclude 0.0.0.0/0 and ::/0.
  const excluded = addresses.length > 0 ? [] : [4, 16].map((size) => subtree(tags.ipAddress, Buffer.alloc(2 * size)));
  return der(
    tags.sequence,
    der(tags.permitted, ...permitted),
    ...(excluded.length > 0 ? [der(tags.excluded, ...excluded)] : []),
  );
}

/** The inverse of `encodeConstraints`; undefined for constraints of any other shape, narrower or wider. */
export function decodeConstraints(bytes: Buffer): NameConstraints | undefined {
  try {
    const constraints = permittedNames(bytes);
    return encodeConstraints(constraints).equals(bytes) ? constraints : undefined;
  } catch (caught) {
    // No DER, or a name that could not have been written.
    if (caught instanceof SekishoError) return undefined;
    throw caught;
  }
}

/** Looks for what `encodeConstraints` writes and passes over the rest: comparing the bytes tells whether there was any. */
function permittedNames(bytes: Buffer): NameConstraints {
  const bases = contents(derElements(bytes), tags.sequence)
    .flatMap((parts) => contents(parts, tags.permitted))
    .flatMap((subtrees) => contents(subtrees, tags.sequence))
    .flat();
  return constraintsFor(
    bases.filter(({ tag }) => tag === tags.dnsName).map(({ content }) => content.toString('latin1')),
    bases.filter(({ tag }) => tag === tags.ipAddress).map(({ content }) => addressText(content)),
  );
}

/** For each element with this tag, the elements inside. */
function contents(elements: readonly DerElement[], tag: number): DerElement[][] {
  return elements.filter((element) => element.tag === tag).map(({ content }) => derElements(content));
}

const tags = { sequence: 0x30, permitted: 0xa0, excluded: 0xa1, dnsName: 0x82, ipAddress: 0x87 } as const;

/** The address and a mask of all ones: /32 or /128. */
function singleAddress(address: string): Buffer {
  const octets = Buffer.from(ipaddr.parse(address).toByteArray());
  return Buffer.concat([octets, Buffer.alloc(octets.length, 0xff)]);
}

/** The address half of address and mask; the mask is judged by comparing the bytes. */
function addressText(base: Buffer): string {
  if (base.length === 8 || base.length === 32)
    return ipaddr.fromByteArray([...base.subarray(0, base.length / 2)]).toString();
  throw new SekishoError('ca_invalid', `a name constraint for an address has ${base.length} octets, not 8 or 32`);
}

function subtree(tag: number, base: Buffer): Buffer {
  return der(tags.sequence, der(tag, base));
}
