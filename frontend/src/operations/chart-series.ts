import type { Metrics } from "../api/types";
import { text } from "../text";

const words = text.operations.charts;

export interface Line {
  name: string;
  values: (number | null)[];
}

export interface Series {
  title: string;
  /** Start of each bucket in seconds since 1970. */
  times: number[];
  lines: Line[];
}

type Bucket = Metrics["buckets"][number];

/** Returns a value of each bucket; null where the server did not run, which is a gap in the line and not zero. */
const getValues = (metrics: Metrics, read: (bucket: Bucket) => number | null) =>
  metrics.buckets.map((bucket) => (bucket.observed ? read(bucket) : null));

const getTimes = (metrics: Metrics) => metrics.buckets.map((bucket) => Date.parse(bucket.at) / 1000);

export function buildRateSeries(metrics: Metrics): Series {
  const perSecond = (count: number) => count / metrics.bucket_seconds;
  return {
    title: words.rate,
    times: getTimes(metrics),
    lines: [
      { name: words.requests, values: getValues(metrics, (bucket) => perSecond(bucket.requests)) },
      { name: words.failed, values: getValues(metrics, (bucket) => perSecond(bucket.errors)) },
    ],
  };
}

const PERCENTILES = ["p50", "p95", "p99"] as const;

export function buildLatencySeries(metrics: Metrics): Series {
  return {
    title: words.latency,
    times: getTimes(metrics),
    lines: PERCENTILES.map((name) => ({
      name: words.percentiles[name],
      values: getValues(metrics, (bucket) => bucket.latency_ms?.[name] ?? null),
    })),
  };
}

const PHASES = ["inference", "decode", "features", "queue"] as const;

export function buildPhaseSeries(metrics: Metrics): Series {
  const median = (bucket: Bucket, phase: (typeof PHASES)[number]) => bucket.stages?.[phase]?.p50 ?? null;
  return {
    title: words.phases,
    times: getTimes(metrics),
    lines: PHASES.map((phase) => ({
      name: words.phaseNames[phase],
      values: getValues(metrics, (bucket) => median(bucket, phase)),
    })),
  };
}
