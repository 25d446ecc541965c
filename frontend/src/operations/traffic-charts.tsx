import { useQuery } from "@tanstack/react-query";
import type { Metrics } from "../api/types";
import { formatCount } from "../format/numbers";
import { Time } from "../format/time";
import { text } from "../text";
import { BarRow } from "../ui/bar-row";
import { Panel } from "../ui/layout";
import { Empty, QueryFailure } from "../ui/notice";
import { buildLatencySeries, buildPhaseSeries, buildRateSeries } from "./chart-series";
import { findSwitches, type Switch } from "./switches";
import { TimeChart } from "./time-chart";

const words = text.operations.charts;
const LISTED_SWITCHES = 5;
const SWITCH_STEP_MS = 60_000;

export function TrafficCharts({ metrics }: { metrics: Metrics }) {
  const since = Date.parse(metrics.buckets[0]?.at ?? "");
  // Rounded, so that the query does not change with every bucket.
  const from = Math.floor(since / SWITCH_STEP_MS) * SWITCH_STEP_MS;
  const query = useQuery({
    queryKey: ["history", "switches", from],
    queryFn: ({ signal }) => findSwitches(from, signal),
    placeholderData: (before) => before,
  });
  const switches = (query.data ?? []).filter((each) => Date.parse(each.at) >= since);
  const missing = metrics.buckets.flatMap((bucket, index) => (bucket.observed ? [] : [index]));
  // `requests` counts answered predictions only.
  const empty = metrics.buckets.every((bucket) => bucket.requests + bucket.errors === 0);
  if (empty && switches.length === 0) return <Empty title={missing.length > 0 ? words.noneMeasured : words.none} />;
  const marks = { switches: switches.map((each) => Date.parse(each.at) / 1000), missing };
  return (
    <Panel className="p-5 sm:p-6">
      <div className="grid gap-8 lg:grid-cols-2">
        <TimeChart series={buildRateSeries(metrics)} {...marks} />
        <TimeChart series={buildLatencySeries(metrics)} {...marks} />
        <TimeChart series={buildPhaseSeries(metrics)} {...marks} />
        <Errors errors={metrics.errors_by_code} />
      </div>
      {missing.length > 0 && <p className="mt-4 text-ink-2 text-sm">{words.missing}</p>}
      {query.error && (
        <div className="mt-4">
          <QueryFailure error={query.error} onRetry={() => void query.refetch()} />
        </div>
      )}
      <Switches switches={switches} />
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

function Switches({ switches }: { switches: readonly Switch[] }) {
  if (switches.length === 0) return null;
  const latest = switches.slice(0, LISTED_SWITCHES);
  const earlier = switches.length - latest.length;
  return (
    <div className="mt-6 border-line border-t pt-4 text-sm">
      <p className="text-ink-2">{words.swaps}</p>
      <ul className="mt-1">
        {latest.map((each) => (
          <li key={each.key}>
            <Time at={each.at} form="exact" />{" "}
            <span className="ml-2">{words.swap(each.name ?? text.operations.status.nothing)}</span>
          </li>
        ))}
      </ul>
      {earlier > 0 && <p className="mt-1 text-ink-2">{words.earlierSwaps(earlier)}</p>}
    </div>
  );
}
