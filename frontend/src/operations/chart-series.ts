import type { Metrics } from "../api/types";
import { text } from "../text";

const words = text.operations.charts;

export interface Line {
  name: string;
  values: (number | null)[];
}

export interface Series {
  title: string;
  /** Seconds since 1970, one a bucket. */
  times: number[];
  lines: Line[];
}

type Bucket = Metrics["buckets"][number];

const timesOf = (metrics: Metrics) => metrics.buckets.map((bucket) => Date.parse(bucket.at) / 1000);

export function rate(metrics: Metrics): Series {
  const perSecond = (count: number) => count / metrics.bucket_seconds;
  return {
    title: words.rate,
    times: timesOf(metrics),
    lines: [
      { name: words.requests, values: metrics.buckets.map((bucket) => perSecond(bucket.requests)) },
      { name: words.failed, values: metrics.buckets.map((bucket) => perSecond(bucket.errors)) },
    ],
  };
}

const PERCENTILES = ["p50", "p95", "p99"] as const;

export function latency(metrics: Metrics): Series {
  return {
    title: words.latency,
    times: timesOf(metrics),
    lines: PERCENTILES.map((name) => ({
      name: words.percentiles[name],
      values: metrics.buckets.map((bucket) => bucket.latency_ms?.[name] ?? null),
    })),
  };
}

const STAGES = ["inference", "decode", "features", "queue"] as const;

export function stages(metrics: Metrics): Series {
  const median = (bucket: Bucket, stage: (typeof STAGES)[number]) => bucket.stages?.[stage]?.p50 ?? null;
  return {
    title: words.stages,
    times: timesOf(metrics),
    lines: STAGES.map((stage) => ({
      name: words.stageNames[stage],
      values: metrics.buckets.map((bucket) => median(bucket, stage)),
    })),
  };
}
