import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client';

/** A value for each label name. Values come from closed sets (a node, a level, a reason), never from a client: each new one is memory. */
export type Labels<Name extends string> = Readonly<Record<Name, string>>;

export interface MetricOptions<Name extends string> {
  /** Begins with `sekisho_` and ends with its unit (`_seconds`, `_bytes`); `_total` for a counter (Prometheus naming practice). */
  readonly name: `sekisho_${string}`;
  /** One sentence for whoever reads the graph. */
  readonly help: string;
  readonly labels?: readonly Name[];
}

/** Counts up from 0 since the process began. */
export interface CounterMetric<Name extends string> {
  add(labels: Labels<Name>, by?: number): void;
}

/** A value that goes up and down. */
export interface GaugeMetric<Name extends string> {
  set(labels: Labels<Name>, value: number): void;
  /** Forgets the series of these labels, when what they name is gone. */
  forget(labels: Labels<Name>): void;
}

/** A distribution, in buckets. */
export interface HistogramMetric<Name extends string> {
  observe(labels: Labels<Name>, value: number): void;
}

/** The metrics of one process. No other folder needs to know which library keeps them. */
export interface Metrics {
  counter<Name extends string = never>(
    options: MetricOptions<Name> & { name: `sekisho_${string}_total` },
  ): CounterMetric<Name>;
  gauge<Name extends string = never>(options: MetricOptions<Name>): GaugeMetric<Name>;
  /** A gauge without labels whose value is asked for whenever the metrics are read. */
  gaugeOf(options: MetricOptions<never>, read: () => number): void;
  /** A gauge whose series are asked for whenever the metrics are read; one that is not among the answers is forgotten. */
  gaugesOf<Name extends string>(
    options: MetricOptions<Name>,
    read: () => Iterable<readonly [labels: Labels<Name>, value: number]>,
  ): void;
  /** Counters that somebody else keeps, for what happens too often for anything but an addition: their values are asked for whenever the metrics are read. */
  countersOf<Name extends string>(
    options: MetricOptions<Name> & { name: `sekisho_${string}_total` },
    read: () => Iterable<readonly [labels: Labels<Name>, value: number]>,
  ): void;
  /** `buckets` are upper bounds in the metric's unit, ascending; `latencySeconds` unless told. */
  histogram<Name extends string = never>(
    options: MetricOptions<Name> & { readonly buckets?: readonly number[] },
  ): HistogramMetric<Name>;
  /** Everything in the Prometheus text format 0.0.4. */
  text(): Promise<string>;
}

/** 0.5 ms to 10 s: from an answer out of memory to one that a person gives up on. */
export const latencySeconds: readonly number[] = [
  0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
];

/**
 * An empty registry, with the process's own metrics (CPU, memory, event loop lag, garbage collection, open files) unless told not to.
 * A name may be used once; the second time throws.
 */
export function createMetrics(options: { readonly process?: boolean } = {}): Metrics {
  const registry = new Registry();
  const registers = [registry];
  if (options.process ?? true) collectDefaultMetrics({ register: registry });
  return {
    counter: ({ name, help, labels = [] }) => {
      const counter = new Counter({ name, help, labelNames: [...labels], registers });
      return {
        add: (values, by = 1) => {
          counter.inc(values, by);
        },
      };
    },
    gauge: ({ name, help, labels = [] }) => {
      const gauge = new Gauge({ name, help, labelNames: [...labels], registers });
      return {
        set: (values, value) => {
          gauge.set(values, value);
        },
        forget: (values) => {
          gauge.remove(values);
        },
      };
    },
    gaugeOf: ({ name, help }, read) => {
      // The registry is the owner: it calls `collect` on every reading.
      const gauge: Gauge = new Gauge({
        name,
        help,
        registers,
        collect: () => {
          gauge.set(read());
        },
      });
    },
    gaugesOf: ({ name, help, labels = [] }, read) => {
      const gauge: Gauge = new Gauge({
        name,
        help,
        labelNames: [...labels],
        registers,
        collect: () => {
          gauge.reset();
          for (const [values, value] of read()) gauge.set(values, value);
        },
      });
    },
    countersOf: ({ name, help, labels = [] }, read) => {
      const counter: Counter = new Counter({
        name,
        help,
        labelNames: [...labels],
        registers,
        collect: () => {
          counter.reset();
          for (const [values, value] of read()) counter.inc(values, value);
        },
      });
    },
    histogram: ({ name, help, labels = [], buckets = latencySeconds }) => {
      const histogram = new Histogram({ name, help, labelNames: [...labels], buckets: [...buckets], registers });
      return {
        observe: (values, value) => {
          histogram.observe(values, value);
        },
      };
    },
    text: () => registry.metrics(),
  };
}
