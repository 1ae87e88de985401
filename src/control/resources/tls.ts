import type { Door } from '../../policy/policy.types.ts';
import { adsWithoutTimeout } from './config-source.ts';
import { names } from './names.ts';
import { extension } from './types.ts';

const secret = (name: string) => ({ name, sds_config: adsWithoutTimeout });

/** TLS as the console would speak it, under the leaf of the console CA. */
export function consoleTls(door: string): object {
  return downstream({
    common_tls_context: {
      alpn_protocols: ['h2', 'http/1.1'],
      tls_params: { tls_minimum_protocol_version: 'TLSv1_2' },
      tls_certificate_sds_secret_configs: [secret(names.leaf(door))],
    },
  });
}

/** TLS to the proxy itself; with client certificates where these say who the people are. */
export function proxyTls({ name, users }: Door): object {
  const asks = users.kind === 'certificate';
  return downstream({
    require_client_certificate: asks,
    common_tls_context: {
      alpn_protocols: ['h2', 'http/1.1'],
      tls_params: { tls_minimum_protocol_version: 'TLSv1_2' },
      tls_certificate_sds_secret_configs: [secret(names.proxy(name))],
      ...(asks && { validation_context_sds_secret_config: secret(names.users(name)) }),
    },
  });
}

function downstream(context: object): object {
  return extension(
    'envoy.transport_sockets.tls',
    'envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext',
    context,
  );
}
