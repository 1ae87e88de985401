import type { Door } from '../../policy/policy.types.ts';
import { adsWithoutTimeout, extension } from './types.ts';
import { names } from './names.ts';

const secret = (name: string) => ({ name, sds_config: adsWithoutTimeout });

/** TLS as the console would speak it, under the leaf of the console CA. Behind a CONNECT the proxy has asked who comes. */
export function consoleTls(door: Door): object {
  return downstream(door, names.leaf(door.name), door.kind !== 'forward' && door.users.kind === 'certificate');
}

/** TLS to the proxy itself. */
export function proxyTls(door: Door): object {
  return downstream(door, names.proxy(door.name), door.users.kind === 'certificate');
}

/** With client certificates where these say who the people are. */
function downstream(door: Door, certificate: string, asks: boolean): object {
  return extension('envoy.transport_sockets.tls', 'envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext', {
    require_client_certificate: asks,
    common_tls_context: {
      alpn_protocols: ['h2', 'http/1.1'],
      tls_params: { tls_minimum_protocol_version: 'TLSv1_2' },
      tls_certificate_sds_secret_configs: [secret(certificate)],
      ...(asks && { validation_context_sds_secret_config: secret(names.users(door.name)) }),
    },
  });
}
