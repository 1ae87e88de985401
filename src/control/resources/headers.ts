import { extension } from './types.ts';

const remove = (name: string) => ({ remove: name });
const removePrefix = (prefix: string) => ({ remove_on_match: { key_matcher: { prefix, ignore_case: true } } });

/**
 * What a client must not be able to say: our own headers, Envoy's control headers and where it claims to come from. Removed before
 * anything reads them.
 */
export const forgedHeaders = extension(
  'envoy.http.early_header_mutation.header_mutation',
  'envoy.extensions.http.early_header_mutation.header_mutation.v3.HeaderMutation',
  {
    mutations: [
      removePrefix('x-sekisho-'),
      removePrefix('x-envoy-'),
      remove('x-forwarded-for'),
      remove('x-forwarded-host'),
      remove('x-forwarded-port'),
      remove('x-forwarded-client-cert'),
      remove('forwarded'),
      remove('via'),
      remove('proxy-connection'),
    ],
  },
);

/**
 * What AWS must not see, removed on the way out: the credentials of the proxy, what Envoy adds of itself, whatever is ours. The
 * request id stays: Envoy keeps one header map for both sides, and without it the access-log entry has no stream id.
 */
export const outgoingHeaders = extension(
  'sekisho.outgoing_headers',
  'envoy.extensions.filters.http.header_mutation.v3.HeaderMutation',
  {
    mutations: {
      request_mutations: [
        remove('proxy-authorization'),
        remove('proxy-authenticate'),
        removePrefix('x-sekisho-'),
        removePrefix('x-envoy-'),
        removePrefix('x-forwarded-'),
      ],
    },
  },
);
