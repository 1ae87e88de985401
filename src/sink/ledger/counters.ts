import { FieldReader } from '../../wire/protobuf.ts';
import { envoyIn } from '../record/slice.ts';

/** What an Envoy has counted since its process began, read at one moment. */
export interface Counters {
  /** Which Envoy it is; only the first message of a stream says so. */
  readonly envoy?: { readonly node: string; readonly epoch: number };
  /** By the Envoy's clock, milliseconds since 1970. */
  readonly at: number;
  /** Seconds. */
  readonly uptime: number;
  /** By the `stat_prefix` of the HTTP connection manager. */
  readonly http: ReadonlyMap<string, Requests>;
  /** Listeners that were told to take nothing more. */
  readonly listenersStopped: number;
}

export interface Requests {
  readonly total: number;
  /** Those of them that go on. */
  readonly active: number;
}

/** Of envoy.service.metrics.v3.StreamMetricsMessage and what is in it; a test compares them with the .proto files. */
export const metricsFields = {
  streamMetricsMessage: { identifier: 1, envoy_metrics: 2 },
  identifier: { node: 1 },
  metricFamily: { name: 1, metric: 4 },
  metric: { gauge: 2, counter: 3, timestamp_ms: 6 },
  /** Of a gauge and of a counter. */
  value: { value: 1 },
} as const;
const fields = metricsFields;

/** Of the thousand metrics of a message the few that the ledger compares. Throws SekishoError `record_malformed`. */
export function readCounters(message: Buffer): Counters {
  const read: Reading = { at: 0, values: new Map() };
  let envoy: Counters['envoy'];
  const part = new FieldReader(message);
  while (part.next()) {
    if (part.is(fields.streamMetricsMessage.envoy_metrics)) readFamily(part.message(), read);
    else if (part.is(fields.streamMetricsMessage.identifier)) envoy = readIdentifier(part.message());
  }
  const { at, values } = read;
  const http = new Map<string, Requests>();
  for (const [name, total] of values) {
    const prefix = prefixOf(name);
    if (prefix === undefined) continue;
    http.set(prefix, { total, active: values.get(`http.${prefix}.downstream_rq_active`) ?? 0 });
  }
  return {
    ...(envoy && { envoy }),
    at,
    uptime: values.get('server.uptime') ?? 0,
    http,
    listenersStopped: values.get('listener_manager.listener_stopped') ?? 0,
  };
}

interface Reading {
  at: number;
  readonly values: Map<string, number>;
}

function readIdentifier(reader: FieldReader): Counters['envoy'] {
  let envoy: Counters['envoy'];
  while (reader.next()) if (reader.is(fields.identifier.node)) envoy = envoyIn(reader.message());
  return envoy;
}

function readFamily(family: FieldReader, into: Reading): void {
  let name: string | undefined;
  while (family.next()) {
    if (family.is(fields.metricFamily.name)) {
      // Nine of ten are about clusters: known by their first letter.
      if (!firstLetters.has(family.buffer[family.from] ?? 0)) return;
      name = family.string();
      if (!wanted.test(name)) return;
    } else if (family.is(fields.metricFamily.metric) && name !== undefined) readMetric(family.message(), name, into);
  }
}

const firstLetters: ReadonlySet<number> = new Set(Buffer.from('hls'));
const wanted = /^(?:http\..+\.downstream_rq_(?:total|active)|server\.uptime|listener_manager\.listener_stopped)$/;

function prefixOf(name: string): string | undefined {
  return /^http\.(.+)\.downstream_rq_total$/.exec(name)?.[1];
}

function readMetric(metric: FieldReader, name: string, into: Reading): void {
  while (metric.next()) {
    if (metric.is(fields.metric.gauge) || metric.is(fields.metric.counter)) {
      into.values.set(name, readValue(metric.message()));
    } else if (metric.field === fields.metric.timestamp_ms) into.at = metric.uint();
  }
}

/** 0 is not written. */
function readValue(reader: FieldReader): number {
  let value = 0;
  while (reader.next()) if (reader.field === fields.value.value) value = reader.double();
  return value;
}
