import type { Door } from '../../policy/policy.types.ts';
import { names } from './names.ts';

/** A certificate with its key, as PEM. */
export interface KeyPair {
  /** Leaf first, then the intermediate. */
  readonly certificateChain: string;
  readonly privateKey: string;
}

/** What a door shows: in place of the console, and as a proxy. */
export interface DoorKeys {
  readonly leaf: KeyPair;
  readonly proxy?: KeyPair;
}

/** The secrets of a door, one resource each, so that a renewed certificate moves nothing else. */
export function doorSecrets(door: Door, keys: DoorKeys): object[] {
  return [
    ...(door.inspect === 'full' ? [certificate(names.leaf(door.name), keys.leaf)] : []),
    ...(keys.proxy ? [certificate(names.proxy(door.name), keys.proxy)] : []),
    ...(door.users.kind === 'certificate'
      ? [
          {
            name: names.users(door.name),
            validation_context: { trusted_ca: { inline_string: door.users.authorities } },
          },
        ]
      : []),
  ];
}

function certificate(name: string, { certificateChain, privateKey }: KeyPair): object {
  return {
    name,
    tls_certificate: {
      certificate_chain: { inline_string: certificateChain },
      private_key: { inline_string: privateKey },
    },
  };
}
