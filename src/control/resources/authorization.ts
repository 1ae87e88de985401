import type { Door } from '../../policy/policy.types.ts';
import { names } from './names.ts';
import { extension } from './types.ts';

/** The filter that asks, and the namespace of what it was answered. */
export const authorizationFilter = 'envoy.filters.http.ext_authz';

/** Where the question says which door it is about. */
export const doorMetadataKey = 'x-sekisho-door';

/**
 * The filters by which a door finds out who comes, first of all: nobody whom Sekisho does not know gets as far as to learn which hosts there are. Without an
 * answer the door is closed. Afterwards the password is gone from the request.
 */
export function authorization({ name, users }: Door): object[] {
  if (users.kind !== 'basic') return [];
  return [
    extension(authorizationFilter, 'envoy.extensions.filters.http.ext_authz.v3.ExtAuthz', {
      transport_api_version: 'V3',
      grpc_service: {
        envoy_grpc: { cluster_name: names.sekisho },
        // Longer than the passwords that wait in a full queue take.
        timeout: '10s',
        initial_metadata: [{ key: doorMetadataKey, value: name }],
      },
      failure_mode_allow: false,
      status_on_error: { code: 'ServiceUnavailable' },
      allowed_headers: { patterns: [{ exact: 'proxy-authorization' }] },
    }),
    extension('sekisho.forget_password', 'envoy.extensions.filters.http.header_mutation.v3.HeaderMutation', {
      mutations: { request_mutations: [{ remove: 'proxy-authorization' }] },
    }),
  ];
}
