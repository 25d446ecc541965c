import { useEffect, useRef } from "react";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { useElementWidth } from "../browser/use-element-width";
import { text } from "../text";
import { readToken, useResolvedTheme } from "../theme/theme";
import { drawNotScored } from "../try/score-heatmap";
import { PlainTable } from "../ui/table";
import type { Series } from "./chart-series";

const HEIGHT_PX = 190;
const words = text.operations.charts;

/** Lines differ in width and dashes as well as in color. */
const STROKES = [
  { color: "accent", width: 2, dash: [] },
  { color: "ink", width: 1.5, dash: [] },
  { color: "ink-3", width: 1.5, dash: [6, 4] },
  { color: "line-strong", width: 1.5, dash: [2, 3] },
];

const minute = new Intl.DateTimeFormat(undefined, { hour: "numeric", minute: "2-digit" });

interface Props {
  series: Series;
  /** Times at which the live model was switched, in seconds since 1970. */
  switches: readonly number[];
  /** Indexes of the buckets in which the server did not run. */
  missing: readonly number[];
}

/** A chart over time. All charts of the page share one cursor. */
export function TimeChart({ series, switches, missing }: Props) {
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot>(undefined);
  const marks = useRef({ switches, missing });
  const width = useElementWidth(place);
  const theme = useResolvedTheme();
  const names = series.lines.map((line) => line.name).join("|");
  const data = [series.times, ...series.lines.map((line) => line.values)] as uPlot.AlignedData;
  const latest = useRef(data);

  // biome-ignore lint/correctness/useExhaustiveDependencies: the theme decides the colors drawn; the effect below sets the data
  useEffect(() => {
    if (!place.current || width === 0) return;
    const options: uPlot.Options = {
      width,
      height: HEIGHT_PX,
      legend: { show: false },
      cursor: { sync: { key: "operations" }, y: false, points: { size: 6 } },
      padding: [8, 4, 0, 0],
      axes: [
        makeAxis({ size: 28, space: 70, values: (_, splits) => splits.map((at) => minute.format(at * 1000)) }),
        makeAxis({ size: 46 }),
      ],
      scales: { y: { range: (_, low, high) => [Math.min(0, low ?? 0), Math.max(high || 1, 0.001) * 1.1] } },
      series: [
        {},
        ...names.split("|").map((label, index) => {
          const stroke = STROKES[index % STROKES.length] ?? STROKES[0];
          return {
            label,
            stroke: readToken(stroke?.color ?? "ink"),
            width: stroke?.width ?? 1,
            dash: stroke?.dash ?? [],
            points: { show: true, size: 5, filter: findIsolatedPoints },
          };
        }),
      ],
      hooks: {
        drawAxes: [(drawn) => drawMissing(drawn, marks.current.missing)],
        draw: [(drawn) => drawSwitches(drawn, marks.current.switches)],
      },
    };
    const made = new uPlot(options, latest.current, place.current);
    plot.current = made;
    return () => made.destroy();
  }, [width, theme, names]);

  useEffect(() => {
    latest.current = data;
    marks.current = { switches, missing };
    plot.current?.setData(data);
  });

  return (
    <figure className="min-w-0">
      <figcaption className="mb-2 flex flex-wrap items-baseline justify-between gap-x-4">
        <h3 className="font-medium text-sm">{series.title}</h3>
        <Legend series={series} missing={missing} />
      </figcaption>
      <div ref={place} aria-hidden="true" style={{ minHeight: HEIGHT_PX }} />
      <SeriesTable series={series} />
    </figure>
  );
}

/** Returns the points without a neighbor. They have no line on either side and are drawn as dots. */
function findIsolatedPoints(plot: uPlot, index: number): number[] {
  const values = plot.data[index] ?? [];
  const empty = (at: number) => values[at] === null || values[at] === undefined;
  return Array.from(values.keys()).filter((at) => !empty(at) && empty(at - 1) && empty(at + 1));
}

function makeAxis(own: Partial<uPlot.Axis>): uPlot.Axis {
  return {
    stroke: readToken("ink-2"),
    font: `12px ${getComputedStyle(document.body).fontFamily}`,
    grid: { stroke: readToken("line"), width: 1 },
    ticks: { show: false },
    ...own,
  };
}

/** Hatches the buckets in which the server did not run. */
function drawMissing(plot: uPlot, missing: readonly number[]): void {
  const { ctx, bbox } = plot;
  const times = plot.data[0];
  const step = ((times[1] ?? 0) - (times[0] ?? 0)) / 2;
  for (const index of missing) {
    const at = times[index];
    if (at === undefined) continue;
    const left = Math.max(bbox.left, plot.valToPos(at - step, "x", true));
    const right = Math.min(bbox.left + bbox.width, plot.valToPos(at + step, "x", true));
    drawNotScored(ctx, left, right - left, bbox.height, bbox.top);
  }
}

function drawSwitches(plot: uPlot, switches: readonly number[]): void {
  const { ctx, bbox } = plot;
  ctx.save();
  ctx.strokeStyle = readToken("ink");
  ctx.lineWidth = devicePixelRatio;
  ctx.setLineDash([]);
  for (const at of switches) {
    const x = plot.valToPos(at, "x", true);
    if (x < bbox.left || x > bbox.left + bbox.width) continue;
    ctx.beginPath();
    ctx.moveTo(x, bbox.top);
    ctx.lineTo(x, bbox.top + bbox.height);
    ctx.stroke();
  }
  ctx.restore();
}

function Legend({ series, missing }: { series: Series; missing: readonly number[] }) {
  return (
    <ul className="flex flex-wrap gap-x-4 text-ink-2 text-sm">
      {series.lines.map((line, index) => {
        const stroke = STROKES[index % STROKES.length];
        // Where the server does not run now, an older value is not the present one.
        const last = missing.includes(series.times.length - 1) ? null : line.values.findLast((value) => value !== null);
        return (
          <li key={line.name} className="flex items-center gap-1.5">
            <svg aria-hidden="true" width="18" height="4">
              <line
                x1="0"
                x2="18"
                y1="2"
                y2="2"
                stroke={`var(--${stroke?.color})`}
                strokeWidth={stroke?.width}
                strokeDasharray={stroke?.dash.join(" ")}
              />
            </svg>
            {line.name}
            <span className="min-w-9 text-right text-ink">{formatValue(last, 1)}</span>
          </li>
        );
      })}
    </ul>
  );
}

/** Formats a value so that a little differs from nothing: one prediction a minute is not a rate of 0.0. */
function formatValue(value: number | null | undefined, decimals: number): string {
  if (value === null || value === undefined) return "–";
  return value > 0 && value < 10 ** -decimals ? value.toPrecision(2) : value.toFixed(decimals);
}

const TABLE_ROWS = 30;
const time = new Intl.DateTimeFormat(undefined, { timeStyle: "medium" });

/** The chart's newest buckets as a table. */
function SeriesTable({ series }: { series: Series }) {
  const newest = series.times
    .map((at, index) => ({ at, index }))
    .slice(-TABLE_ROWS)
    .reverse();
  return (
    <details className="text-sm">
      <summary className="w-fit text-ink-2">{words.table}</summary>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a box that scrolls must be reachable by keyboard */}
      <section tabIndex={0} aria-label={series.title} className="mt-2 max-h-64 overflow-auto">
        <PlainTable
          columns={[{ name: words.time }, ...series.lines.map(({ name }) => ({ name, numeric: true }))]}
          rows={newest.map(({ at, index }) => ({
            key: at,
            cells: [time.format(at * 1000), ...series.lines.map(({ values }) => formatValue(values[index], 2))],
          }))}
        />
      </section>
    </details>
  );
}
