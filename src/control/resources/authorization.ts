import type { Door, Policy } from '../../policy/policy.types.ts';
import { names } from './names.ts';
import { extension } from './types.ts';

/** The filter that asks, and the namespace of what it was answered. */
export const authorizationFilter = 'envoy.filters.http.ext_authz';

/** Where the question says which door it is about. */
export const doorMetadataKey = 'x-sekisho-door';

/** Where the question says in which log its outcome will be, if it is to be on record before anything leaves; absent where only a name is asked for. */
export const logMetadataKey = 'x-sekisho-log';

/** Where a question about a connection says its id; of a request it is a header. */
export const idMetadataKey = 'x-sekisho-id';

/** By which headers the question says what Envoy knows and a request does not; the doors remove them from what people send. */
export const toldHeaders = { user: 'x-sekisho-user', tunnel: 'x-sekisho-tunnel' } as const;

/** The mark of a route from which nothing leaves, in the question's context extensions. */
export const staysKey = 'stays';

/** Longer than the passwords that wait in a full queue take, and than a disk that is only slow. */
const patience = '10s';

/** Whether nothing may leave a door before it is on record. */
export function isGated({ record }: Policy): boolean {
  return record.assurance === 'gate';
}

/**
 * The filters by which a door asks at each CONNECT, first of all: who comes, where the door is for people with passwords, and whether it is on record,
 * where the policy wants that. Nobody whom Sekisho does not know gets as far as to learn which hosts there are. Without an answer the door is closed.
 * Afterwards the password is gone from the request.
 */
export function authorizeTunnel(door: Door, policy: Policy, told: Told): object[] {
  const basic = door.users.kind === 'basic';
  const gated = isGated(policy);
  if (!basic && !gated) return [];
  const headers = basic ? ['proxy-authorization'] : [];
  if (!gated) return [ask(door, undefined, headers), forget('sekisho.forget_password', 'proxy-authorization')];
  return [
    tell(told),
    ask(door, names.log(door.name, 'connect'), headers),
    forget('sekisho.forget', 'proxy-authorization', ...Object.values(toldHeaders)),
  ];
}

/** The filters by which each request to the console is put on record before it leaves. */
export function authorizeRequest(door: Door, policy: Policy, told: Told): object[] {
  if (!isGated(policy)) return [];
  return [
    tell(told),
    ask(door, names.log(door.name, 'http'), []),
    forget('sekisho.forget', ...Object.values(toldHeaders)),
  ];
}

/** The filter by which a connection that passes undecrypted is put on record before it is dialled. */
export function authorizeConnection(door: Door, policy: Policy, { tunnel }: Told): object[] {
  if (!isGated(policy)) return [];
  const told = { [idMetadataKey]: '%STREAM_ID%', ...(tunnel !== undefined && { [toldHeaders.tunnel]: tunnel }) };
  return [
    extension('envoy.filters.network.ext_authz', 'envoy.extensions.filters.network.ext_authz.v3.ExtAuthz', {
      stat_prefix: names.inside(door.name),
      transport_api_version: 'V3',
      grpc_service: questionsTo(door, names.log(door.name, 'tcp'), told),
      failure_mode_allow: false,
      include_tls_session: true,
    }),
  ];
}

/**
 * For routes from which nothing leaves: they need no record before, or whoever is refused would write as much as they like. Only who comes is asked, where
 * that is asked.
 */
export function nothingLeaves(door: Door, policy: Policy): { typed_per_filter_config?: object } {
  if (!isGated(policy)) return {};
  const type = 'type.googleapis.com/envoy.extensions.filters.http.ext_authz.v3.ExtAuthzPerRoute';
  const settings =
    door.users.kind === 'basic'
      ? { check_settings: { context_extensions: { [staysKey]: 'yes' } } }
      : { disabled: true };
  return { typed_per_filter_config: { [authorizationFilter]: { '@type': type, ...settings } } };
}

/** Format strings of what the question says besides what Envoy says by itself. */
export interface Told {
  readonly user?: string | undefined;
  readonly tunnel?: string | undefined;
}

function ask(door: Door, log: string | undefined, headers: readonly string[]): object {
  return extension(authorizationFilter, 'envoy.extensions.filters.http.ext_authz.v3.ExtAuthz', {
    transport_api_version: 'V3',
    grpc_service: questionsTo(door, log),
    failure_mode_allow: false,
    status_on_error: { code: 'ServiceUnavailable' },
    // Neither cookies nor credentials of AWS, and no body, are ever part of the question.
    allowed_headers: {
      patterns: [...headers, ...(log === undefined ? [] : intentHeaders)].map((exact) => ({ exact })),
    },
    // The claimed ARN is there.
    ...(log !== undefined && { metadata_context_namespaces: ['sekisho'], include_tls_session: true }),
  });
}

/** `accept` decides whether a refusal is a page or a line. */
const intentHeaders: readonly string[] = ['x-request-id', 'user-agent', 'accept', ...Object.values(toldHeaders)];

/** Where a filter asks, with what is the same in all its questions. */
function questionsTo(door: Door, log: string | undefined, told: Readonly<Record<string, string>> = {}): object {
  return {
    envoy_grpc: { cluster_name: names.sekisho },
    timeout: patience,
    initial_metadata: [
      { key: doorMetadataKey, value: door.name },
      ...(log === undefined ? [] : [{ key: logMetadataKey, value: log }]),
      ...Object.entries(told).map(([key, value]) => ({ key, value })),
    ],
  };
}

function tell(told: Told): object {
  const says = (key: string, value: string) => ({
    append: { header: { key, value }, append_action: 'OVERWRITE_IF_EXISTS_OR_ADD' },
  });
  return mutation('sekisho.tell_gate', [
    ...(told.user === undefined ? [] : [says(toldHeaders.user, told.user)]),
    ...(told.tunnel === undefined ? [] : [says(toldHeaders.tunnel, told.tunnel)]),
  ]);
}

function forget(filter: string, ...headers: readonly string[]): object {
  return mutation(
    filter,
    headers.map((name) => ({ remove: name })),
  );
}

function mutation(name: string, mutations: readonly object[]): object {
  return extension(name, 'envoy.extensions.filters.http.header_mutation.v3.HeaderMutation', {
    mutations: { request_mutations: mutations },
  });
}
