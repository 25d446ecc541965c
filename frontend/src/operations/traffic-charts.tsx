import type { Metrics } from "../api/types";
import { formatCount } from "../format/numbers";
import { Time } from "../format/time";
import { text } from "../text";
import { BarRow } from "../ui/bar-row";
import { Panel } from "../ui/layout";
import { Empty } from "../ui/notice";
import { buildLatencySeries, buildPhaseSeries, buildRateSeries } from "./chart-series";
import { TimeChart } from "./time-chart";

const words = text.operations.charts;
const LISTED_SWAPS = 5;

export function TrafficCharts({ metrics }: { metrics: Metrics }) {
  // `requests` counts answered predictions only.
  if (metrics.buckets.every((bucket) => bucket.requests + bucket.errors === 0)) return <Empty title={words.none} />;
  const swaps = metrics.swaps.map((swap) => Date.parse(swap.at) / 1000);
  return (
    <Panel className="p-5 sm:p-6">
      <div className="grid gap-8 lg:grid-cols-2">
        <TimeChart series={buildRateSeries(metrics)} swaps={swaps} />
        <TimeChart series={buildLatencySeries(metrics)} swaps={swaps} />
        <TimeChart series={buildPhaseSeries(metrics)} swaps={swaps} />
        <Errors errors={metrics.errors_by_code} />
      </div>
      <Swaps metrics={metrics} />
    </Panel>
  );
}

function Errors({ errors }: { errors: Metrics["errors_by_code"] }) {
  const ranked = Object.entries(errors).sort(([, one], [, other]) => other - one);
  const most = ranked[0]?.[1] ?? 1;
  return (
    <section aria-label={words.errors}>
      <h3 className="mb-3 font-medium text-sm">{words.errors}</h3>
      {ranked.length === 0 && <p className="text-ink-2 text-sm">{words.noErrors}</p>}
      <ul className="space-y-2 text-sm">
        {ranked.map(([code, number]) => (
          <BarRow key={code} name={code} fraction={number / most} value={formatCount(number)} tone="danger" />
        ))}
      </ul>
    </section>
  );
}

function Swaps({ metrics }: { metrics: Metrics }) {
  if (metrics.swaps.length === 0) return null;
  const latest = metrics.swaps.slice(-LISTED_SWAPS).reverse();
  const earlier = metrics.swaps.length - latest.length;
  return (
    <div className="mt-6 border-line border-t pt-4 text-sm">
      <p className="text-ink-2">{words.swaps}</p>
      <ul className="mt-1">
        {latest.map((swap) => (
          <li key={swap.generation}>
            <Time at={swap.at} form="exact" />{" "}
            <span className="ml-2">{words.swap(swap.model?.model_name ?? text.operations.status.nothing)}</span>
          </li>
        ))}
      </ul>
      {earlier > 0 && <p className="mt-1 text-ink-2">{words.earlierSwaps(earlier)}</p>}
    </div>
  );
}
