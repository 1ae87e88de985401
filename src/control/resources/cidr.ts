/** A CIDR as Envoy's `CidrRange` (and that of the xds package) has it. */
export function cidrRange(cidr: string): object {
  const [prefix, length] = cidr.split('/');
  return { address_prefix: prefix, prefix_len: Number(length) };
}
