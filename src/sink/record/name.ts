import { claimedArn } from './claimed-arn.ts';
import { controlColumns } from './control-columns.ts';
import { doorUser } from './door-user.ts';
import * as names from './entry-names.ts';
import { gapColumns } from './gap-columns.ts';
import { hostPort, socketPeer } from './host-port.ts';
import { present } from './present.ts';
import { refusalReason } from './refusal.ts';
import { rfc3339 } from './rfc3339.ts';
import type { StoredCommon, StoredRecord } from './stored-record.types.ts';

export type NamedValue = string | number | boolean | readonly string[];

/** A record as people and scripts see it: flat, in a stable order, absent values absent. docs/records.md has every name. */
export type NamedRecord = Readonly<Record<string, NamedValue>>;

/**
 * Names what a record says: OpenTelemetry's semantic conventions where they have a name, ours under `sekisho.`.
 * `index` is the record's place in the journal.
 */
export function nameRecord(record: StoredRecord, index: number): NamedRecord {
  const facts: Facts = { record, index, ...factsOf(record) };
  const named: Record<string, NamedValue> = {};
  for (const [name, valueOf] of columns) {
    const value = valueOf(facts);
    if (value !== undefined && value !== '') named[name] = value;
  }
  return Object.assign(named, namedByOthers(record));
}

/** What several columns are made from. */
interface Facts extends ReturnType<typeof factsOf> {
  readonly record: StoredRecord;
  readonly index: number;
}

function factsOf(record: StoredRecord) {
  const { common = {}, request, response, connection } = record.entry;
  const tag = (name: string): string | undefined => present(common.tags?.get(name));
  const [path, ...query] = request?.path?.split('?') ?? [];
  return {
    ...{ common, request, response, connection, tag, path, query: query.join('?') },
    user: doorUser(tag('user')),
    client: socketPeer(tag('client')) ?? common.downstreamRemote,
    server: request?.authority === undefined ? undefined : hostPort(request.authority),
    original: socketPeer(tag('original')),
  };
}

type Column = readonly [name: string, valueOf: (facts: Facts) => NamedValue | undefined];

const columns: readonly Column[] = [
  ['time', ({ record, common }) => rfc3339(timeOf(record, common)) ?? rfc3339(record.received)],
  ['sekisho.index', ({ index }) => index],
  ['sekisho.kind', ({ record }) => record.kind],
  ['user.id', (facts) => (isProven(facts) ? facts.user?.id : undefined)],
  ['tls.client.subject', ({ user, common }) => user?.subject ?? common.tls?.peerSubject],
  ['sekisho.claimed_arn', ({ tag, common }) => claimedArn(tag('arn') ?? common.claimedArn ?? '')],
  ['client.address', ({ client }) => client?.address],
  ['client.port', ({ client }) => client?.port || undefined],
  ['http.request.method', ({ request }) => names.requestMethodName(request?.method ?? 0)],
  ['url.scheme', ({ request }) => request?.scheme],
  ['server.address', ({ server }) => server?.host],
  ['server.port', ({ server }) => server?.port],
  ['url.path', ({ path }) => path],
  ['url.query', ({ query }) => query],
  ['http.response.status_code', ({ response }) => response?.code || undefined],
  ['sekisho.response_flags', ({ common }) => some(common.responseFlags?.map(names.responseFlagName))],
  ['sekisho.response_code_details', ({ response }) => present(response?.codeDetails)],
  ['sekisho.denied.reason', ({ tag, record, common }) => refusalReason(record.kind, tag, common)],
  ['sekisho.suppressed.count', ({ record }) => record.suppressed?.count],
  ['sekisho.suppressed.since', ({ record }) => record.suppressed && rfc3339(record.suppressed.since)],
  ['sekisho.suppressed.shared', ({ record }) => record.suppressed?.shared === true || undefined],
  ['sekisho.finding', findingOf],
  ['user_agent.original', ({ request }) => request?.userAgent],
  ['http.request.size', ({ request, common }) => request && common.wireBytesReceived],
  // Of what was about to leave it is not known yet.
  [
    'http.request.body.size',
    ({ record, request }) => (record.kind === 'intent' ? undefined : request && (request.bodyBytes ?? 0)),
  ],
  ['sekisho.request.header_size', ({ request }) => request?.headersBytes],
  ['http.response.size', ({ response, common }) => response && common.wireBytesSent],
  ['http.response.body.size', ({ response }) => response && (response.bodyBytes ?? 0)],
  ['sekisho.response.header_size', ({ response }) => response?.headersBytes],
  ['sekisho.received_bytes', ({ connection }) => connection && (connection.receivedBytes ?? 0)],
  ['sekisho.sent_bytes', ({ connection }) => connection && (connection.sentBytes ?? 0)],
  ['sekisho.duration_ms', ({ common }) => (common.duration === undefined ? undefined : Number(common.duration) / 1e6)],
  ['network.protocol.name', ({ record }) => names.httpVersionName(record.entry.protocol ?? 0) && 'http'],
  ['network.protocol.version', ({ record }) => names.httpVersionName(record.entry.protocol ?? 0)],
  ['network.peer.address', ({ common }) => common.downstreamDirect?.address],
  ['network.peer.port', ({ common }) => common.downstreamDirect?.port],
  ['network.local.address', ({ common }) => common.downstreamLocal?.address],
  ['network.local.port', ({ common }) => common.downstreamLocal?.port],
  ['tls.client.server_name', ({ common }) => common.tls?.serverName],
  ['tls.protocol.version', ({ common }) => names.tlsVersionName(common.tls?.version ?? 0)],
  ['tls.client.ja3', ({ common }) => common.tls?.ja3],
  ['sekisho.original.address', ({ original }) => original?.address],
  ['sekisho.original.port', ({ original }) => original?.port],
  ['sekisho.upstream.address', ({ common }) => common.upstreamRemote?.address],
  ['sekisho.upstream.port', ({ common }) => common.upstreamRemote?.port],
  ['sekisho.upstream.cluster', ({ common }) => common.upstreamCluster],
  ['sekisho.upstream.attempts', ({ common }) => common.attempts],
  ['sekisho.upstream.failure', ({ common }) => present(common.upstreamFailure)],
  ['sekisho.downstream.failure', ({ common }) => present(common.downstreamFailure)],
  ['sekisho.termination', ({ common }) => present(common.termination)],
  ['sekisho.route', ({ common }) => common.routeName],
  ['sekisho.entry_type', ({ common }) => names.accessLogTypeName(common.accessLogType ?? 0)],
  ['sekisho.stream_id', ({ tag, common }) => tag('id') ?? present(common.streamId)],
  ['sekisho.tunnel_id', ({ tag }) => tag('tunnel')],
  ['sekisho.connection_id', ({ tag }) => tag('uid')],
  ['sekisho.node', ({ record }) => record.node],
  ['sekisho.door', ({ record }) => doorOf(record.log)],
  ['sekisho.log', ({ record }) => record.log],
  ['sekisho.epoch', ({ record }) => record.epoch && rfc3339(BigInt(record.epoch) * 1_000_000n)],
  ['sekisho.received', ({ record }) => rfc3339(record.received)],
  ['sekisho.identity', ({ record }) => record.identity],
  // Of entries of Envoy's.
  ['sekisho.assurance', ({ record }) => assuranceOf(record)],
  ['sekisho.copy', ({ record }) => record.copy],
  ['sekisho.redactions', ({ record }) => some(record.redactions)],
  ['sekisho.truncated', ({ record }) => record.truncated || undefined],
  ...gapColumns.map(([name, valueOf]): Column => [name, ({ record }) => record.gap && valueOf(record.gap)]),
  ...controlColumns.map(([name, valueOf]): Column => [name, ({ record }) => record.control && valueOf(record.control)]),
];

function assuranceOf({ kind, assurance }: StoredRecord): string | undefined {
  if (kind === 'control' || kind === 'gap') return undefined;
  return assurance ?? (kind === 'intent' ? 'gate' : 'stream');
}

function timeOf(record: StoredRecord, common: StoredCommon): bigint {
  return record.control?.time ?? common.startTime ?? record.received;
}

/** At the door itself, a certificate whose handshake failed proves nobody; behind a CONNECT the user was let in before. */
function isProven({ record, common, tag }: Facts): boolean {
  return refusalReason(record.kind, tag, common) !== 'handshake' || tag('tunnel') !== undefined;
}

/**
 * A client behind a sidecar dialled another address than Envoy did. It is no refusal: names of the console have many addresses, and two
 * resolvers rarely give the same ones. But whoever wants to pass off a foreign server as the console does it too.
 */
function findingOf({ original, common }: Facts): 'other_destination' | undefined {
  const dialled = common.upstreamRemote?.address;
  if (original === undefined || dialled === undefined || original.address === dialled) return undefined;
  return 'other_destination';
}

/** Every fixed name, in the order in which they are written. */
export const recordNames: readonly string[] = columns.map(([name]) => name);

/** Names that end in a header's or a tag's own name, behind the fixed ones and sorted. */
export const recordNamePrefixes = {
  requestHeader: 'http.request.header.',
  responseHeader: 'http.response.header.',
  responseTrailer: 'sekisho.response.trailer.',
  tag: 'sekisho.tag.',
} as const;

const ownTags: ReadonlySet<string> = new Set([
  'client',
  'tunnel',
  'user',
  'arn',
  'id',
  'denied',
  'barred',
  'uid',
  'original',
]);

function namedByOthers({ entry: { common, request, response } }: StoredRecord): NamedRecord {
  const typed = {
    referer: request?.referer,
    'x-forwarded-for': request?.forwardedFor,
    'x-request-id': request?.requestId,
  };
  const all = [
    ...headers(
      recordNamePrefixes.requestHeader,
      Object.entries({ ...typed, 'x-envoy-original-path': request?.originalPath }),
    ),
    ...headers(recordNamePrefixes.requestHeader, request?.headers ?? []),
    ...headers(recordNamePrefixes.responseHeader, response?.headers ?? []),
    ...headers(recordNamePrefixes.responseTrailer, response?.trailers ?? []),
    ...[...(common?.tags ?? [])].flatMap(([name, value]) =>
      ownTags.has(name) ? [] : [[recordNamePrefixes.tag + name, value] as const],
    ),
  ];
  return Object.fromEntries(all.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)));
}

/** Semantic conventions: a header's values are an array; Envoy joins several lines of one header with commas. */
function* headers(
  prefix: string,
  entries: Iterable<readonly [string, string | undefined]>,
): Generator<[string, NamedValue]> {
  for (const [name, value] of entries) if (value) yield [prefix + name.toLowerCase(), [value]];
}

function some(list: readonly string[] | undefined): readonly string[] | undefined {
  return list === undefined || list.length === 0 ? undefined : list;
}

/** Of `office/http` the door is `office`. */
function doorOf(log: string): string | undefined {
  const slash = log.lastIndexOf('/');
  return slash > 0 ? log.slice(0, slash) : undefined;
}
