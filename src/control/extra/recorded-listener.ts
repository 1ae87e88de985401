import { isMap, type FieldPath } from '../../base/json-value.ts';
import type { TypedJson } from '../../wire/proto-json.ts';
import type { Assurance } from '../../policy/policy.types.ts';
import { loggersOf } from '../resources/access-log.ts';

/** A place of a listener through which traffic could pass that no logger of ours sees. */
export interface BlindSpot {
  readonly path: FieldPath;
  readonly message: string;
}

export interface RecordedListener {
  /** With our loggers wherever they have a place. */
  readonly listener: TypedJson;
  readonly blind: readonly BlindSpot[];
}

/**
 * A listener with our loggers before its own: at each HTTP connection manager and TCP proxy, and at the listener for connections that reach neither. Every
 * filter chain must end in one of the two, written out, for nothing else has a log of what it did. In Envoy's own field names.
 */
export function recordedListener(listener: TypedJson, name: string, assurance: Assurance): RecordedListener {
  const loggers = loggersOf(name, assurance);
  const blind: BlindSpot[] = [];
  const chain = (value: unknown, path: FieldPath): unknown => recordedChain(value, path, loggers, blind);
  const chains = listener['filter_chains'];
  const fallback = listener['default_filter_chain'];
  const recorded = {
    ...listener,
    access_log: withLog(loggers.connection, listener['access_log']),
    ...(Array.isArray(chains) && {
      filter_chains: chains.map((one: unknown, index) => chain(one, ['filter_chains', index])),
    }),
    ...(fallback !== undefined && { default_filter_chain: chain(fallback, ['default_filter_chain']) }),
  };
  if (listener['api_listener'] !== undefined) {
    blind.push({ path: ['api_listener'], message: 'an API listener has no connections that could be recorded' });
  } else if (isDatagram(listener)) {
    blind.push({ path: ['address'], message: 'a UDP listener records only what comes by QUIC' });
  } else if ((!Array.isArray(chains) || chains.length === 0) && fallback === undefined) {
    blind.push({ path: [], message: 'the listener has no filter chain that could record anything' });
  }
  return { listener: recorded, blind };
}

type Loggers = ReturnType<typeof loggersOf>;

function recordedChain(chain: unknown, path: FieldPath, loggers: Loggers, blind: BlindSpot[]): unknown {
  if (!isMap(chain)) return chain;
  const filters: readonly unknown[] = Array.isArray(chain['filters']) ? chain['filters'] : [];
  if (filters.length === 0) blind.push({ path, message: 'this filter chain has no filter that could record anything' });
  const recorded = filters.map((filter, index) => {
    const at = [...path, 'filters', index];
    const why = whyUnseen(filter, index === filters.length - 1);
    if (why !== undefined) blind.push({ path: at, message: why });
    return recordedFilter(filter, loggers);
  });
  return { ...chain, filters: recorded };
}

function recordedFilter(filter: unknown, loggers: Loggers): unknown {
  const config = configOf(filter);
  const log = config && loggerFor(config['@type'], loggers);
  if (!isMap(filter) || log === undefined) return filter;
  return { ...filter, typed_config: { ...config, access_log: withLog(log, config?.['access_log']) } };
}

function loggerFor(type: unknown, loggers: Loggers): readonly object[] | undefined {
  if (type === connectionManager) return loggers.http;
  return type === tcpProxy ? loggers.tcp : undefined;
}

const prefix = 'type.googleapis.com/envoy.extensions.filters.network';
const connectionManager = `${prefix}.http_connection_manager.v3.HttpConnectionManager`;
const tcpProxy = `${prefix}.tcp_proxy.v3.TcpProxy`;

/** Messages that carry the configuration of another filter in a form that is not looked into. */
const wrappers: ReadonlySet<unknown> = new Set([
  'type.googleapis.com/envoy.extensions.common.matching.v3.ExtensionWithMatcher',
  'type.googleapis.com/udpa.type.v1.TypedStruct',
  'type.googleapis.com/xds.type.v3.TypedStruct',
]);

function whyUnseen(filter: unknown, isLast: boolean): string | undefined {
  const type = configOf(filter)?.['@type'];
  if (type === undefined) return 'what this filter is does not stand here, so it cannot be given a logger';
  if (wrappers.has(type)) return 'what this filter is stands inside another message, so it cannot be given a logger';
  if (!isLast || type === connectionManager || type === tcpProxy) return undefined;
  return 'this filter chain ends in a filter that records nothing';
}

function configOf(filter: unknown): Readonly<Record<string, unknown>> | undefined {
  const config = isMap(filter) ? filter['typed_config'] : undefined;
  return isMap(config) ? config : undefined;
}

function isDatagram(listener: TypedJson): boolean {
  const options = listener['udp_listener_config'];
  if (isMap(options) && options['quic_options'] !== undefined) return false;
  return options !== undefined || addressesOf(listener).some(({ address }) => address['protocol'] === 'UDP');
}

/** The sockets of a listener, each with the field that holds it. */
export function addressesOf(listener: TypedJson): { path: FieldPath; address: Readonly<Record<string, unknown>> }[] {
  const more: readonly unknown[] = Array.isArray(listener['additional_addresses'])
    ? listener['additional_addresses']
    : [];
  const places: [FieldPath, unknown][] = [
    [['address'], listener['address']],
    ...more.map((one, index): [FieldPath, unknown] => [
      ['additional_addresses', index, 'address'],
      isMap(one) ? one['address'] : undefined,
    ]),
  ];
  return places.flatMap(([path, value]) => {
    const socket = isMap(value) ? value['socket_address'] : undefined;
    return isMap(socket) ? [{ path: [...path, 'socket_address'], address: socket }] : [];
  });
}

/** Ours first: what a logger of the user's does cannot come between. */
function withLog(ours: readonly object[], theirs: unknown): readonly unknown[] {
  const own: readonly unknown[] = Array.isArray(theirs) ? theirs : [];
  return [...ours, ...own];
}
